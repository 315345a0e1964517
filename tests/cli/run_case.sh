#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs one case: run_case.sh CASE.sh BIN GOLDEN
# CASE.sh runs in an empty folder with BIN first in PATH and GOLDEN set; what it writes and its exit code must be those of
# CASE.stdout, CASE.stderr and CASE.exit, byte for byte.  TM_ACCEPT=1 rewrites the three instead.
case_file=$1
expected=${case_file%.sh}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/work"

PATH=$2:$PATH
GOLDEN=$3
export PATH GOLDEN
unset COLUMNS NO_COLOR
export TERM=xterm LC_ALL=C.UTF-8 TZ=UTC
(cd "$scratch/work" && sh "$case_file") >"$scratch/stdout" 2>"$scratch/stderr" </dev/null
echo $? >"$scratch/exit"

if [ "${TM_ACCEPT:-}" = 1 ]; then
    for part in stdout stderr exit; do
        cp "$scratch/$part" "$expected.$part"
    done
    exit 0
fi
failed=0
for part in stdout stderr exit; do
    diff -u "$expected.$part" "$scratch/$part" || failed=1
done
exit $failed
