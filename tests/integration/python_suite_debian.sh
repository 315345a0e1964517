#!/bin/sh
# SPDX-License-Identifier: MIT
# The modules of --full of python_suite.py on the Python 3.14 of Debian, in a chroot: python_suite_debian.sh LIBRARY REPORT
# [OPTION...], the options are python_suite.py's.  The file of --record is one of the chroot: it stays only with
# TM_DEBIAN_ROOTS.
#
# TM_DEBIAN_ROOTS  a chroot that is there already, with python3.14, its testsuite package and libdw1; else forky is made
#                  by debootstrap in TM_BARE_FOLDER (default /var/tmp) and removed at the end.
# Needs root.  Exit code 0: no difference, 1: there is one, 77: not root, no debootstrap or no
# mirror to be reached.
here=$(cd "$(dirname "$0")" && pwd)
library=$1
report=$2
shift 2

[ "$(id -u)" = 0 ] || { echo "not root: left out"; exit 77; }
. "$here/../support/debian_roots.sh"

if [ -n "${TM_DEBIAN_ROOTS-}" ]; then
    root=${TM_DEBIAN_ROOTS%%:*}
else
    command -v debootstrap >/dev/null || { echo "no debootstrap: left out"; exit 77; }
    offline && exit 77
    make_root forky python3.14 libpython3.14-testsuite libdw1 || exit 1
fi

work=$(mktemp -d "$root/tmp/tm-suite-XXXXXX")
inside=${work#"$root"}
chmod 755 "$work"
cp "$library" "$work/libtracemalloc.so"
cp "$report" "$work/tm-report"
cp "$here"/*.py "$work/"
chroot "$root" env PATH=/usr/bin:/bin TM_PYTHONS=/usr/bin/python3.14 TMPDIR=/tmp python3.14 -B "$inside/python_suite.py" \
    --library "$inside/libtracemalloc.so" --report "$inside/tm-report" --full "$@"
result=$?
rm -rf "$work"
exit $result
