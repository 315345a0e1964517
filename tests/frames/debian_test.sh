#!/bin/sh
# SPDX-License-Identifier: MIT
# The frame tests on Pythons of other Debian releases and on debug builds, in chroots: debian_test.sh BUILD_FOLDER
#
# TM_DEBIAN_ROOTS  chroots that are there already (separated by colons); else trixie and forky are made by debootstrap
#                  in TM_BARE_FOLDER (default /var/tmp) and removed at the end.
# Needs root.  Exit code 0: all right, 1: a fault, 77: not root, no debootstrap or no mirror to be reached.
here=$(cd "$(dirname "$0")" && pwd)
build=$1
tried=0
failed=0

[ "$(id -u)" = 0 ] || { echo "not root: left out"; exit 77; }
. "$here/../support/debian_roots.sh"

packages='gcc libc6-dev'
for minor in 13 14 15; do
    packages="$packages python3.$minor python3.$minor-dbg python3.$minor-dev"
done

try()
{
    tried=$((tried + 1))
    "$@" || { echo "FAILED: $*"; failed=$((failed + 1)); }
}

test_root()
{
    work=$root/tmp/tm-frames
    rm -rf "$work"
    mkdir -p "$work/frames" "$work/integration"
    cp "$here"/* "$work/frames/"
    cp "$here"/../integration/interpreters.py "$work/integration/"
    cp "$build"/tests/frames/libframe_probe.so "$build"/tests/frames/frame_host \
        "$build"/tests/frames/layout_print "$work/"
    pythons=
    for python in "$root"/usr/bin/python3.1? "$root"/usr/bin/python3.1?d "$root"/opt/python*/bin/python3.1?t; do
        [ -x "$python" ] || continue
        python=${python#"$root"}
        pythons=$pythons${pythons:+:}$python
        for script in frame_cases frame_lives; do
            try chroot "$root" "$python" -B "/tmp/tm-frames/frames/$script.py" /tmp/tm-frames/libframe_probe.so
        done
    done
    # The oldest of them finds the others for the script; the headers are theirs.
    chroot "$root" ln -sf "${pythons%%:*}" /tmp/tm-frames/python3
    try chroot "$root" env TM_PYTHONS="$pythons" PATH="/tmp/tm-frames:$PATH" \
        sh /tmp/tm-frames/frames/abi_test.sh /tmp/tm-frames/layout_print gcc
    rm -rf "$work"
}

if [ -n "${TM_DEBIAN_ROOTS-}" ]; then
    for root in $(printf %s "$TM_DEBIAN_ROOTS" | tr ':' ' '); do
        test_root
    done
else
    command -v debootstrap >/dev/null || { echo "no debootstrap: left out"; exit 77; }
    offline && exit 77
    for release in trixie forky; do
        # shellcheck disable=SC2086
        if make_root "$release" $packages; then test_root; else failed=$((failed + 1)); fi
    done
fi
echo "frames on Debian: $tried runs, $failed failed"
[ "$tried" -gt 0 ] && [ "$failed" -eq 0 ]
