#!/bin/sh
# SPDX-License-Identifier: MIT
# Compiles abi_probe.c against the headers of every interpreter found and compares with the layout table.
# abi_test.sh LAYOUT_PRINT [CC]; exit code 0: all rows right, 1: one is not, 77: no headers.
here=$(cd "$(dirname "$0")" && pwd)
pythons=$(python3 -B "$here/../integration/interpreters.py" | awk '{ print $3 }')
print=$1
cc=${2:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compared=0
failed=0

# compare PYTHON INCLUDE RELEASE FREE_THREADED FLAGS...
compare()
{
    python=$1 include=$2 release=$3 free_threaded=$4
    shift 4
    if ! "$cc" -w "$@" -I"$include" -I"$include/internal" "$here/abi_probe.c" -o "$work/probe" 2>"$work/errors"; then
        echo "$python $*: its headers do not compile: left out"
        head -3 "$work/errors"
        return
    fi
    "$work/probe" | awk '$2 != 0' | sort >"$work/headers"
    "$print" "$release" "$free_threaded" | sort >"$work/row"
    compared=$((compared + 1))
    if diff "$work/headers" "$work/row" >"$work/diff"; then
        echo "$python $*: $(wc -l <"$work/row") fields agree"
    else
        echo "$python $*: headers (<) and row (>) differ"
        cat "$work/diff"
        failed=$((failed + 1))
    fi
}

for python in $pythons; do
    facts=$("$python" -c 'import sys, sysconfig
print(sysconfig.get_paths()["include"], sys.version_info[0] * 256 + sys.version_info[1],
      1 if sysconfig.get_config_var("Py_GIL_DISABLED") else 0)' | tr -d "(),'")
    set -- $facts
    include=$1 release=$2 free_threaded=$3
    if [ ! -f "$include/Python.h" ]; then
        echo "$python: no headers: left out"
        continue
    fi
    compare "$python" "$include" "$release" "$free_threaded"
    # The row of a free-threaded build of the same release, from the same headers (3.13 and later).
    if [ "$release" -ge 781 ] && [ "$free_threaded" = 0 ]; then
        compare "$python" "$include" "$release" 1 -DPy_GIL_DISABLED=1
    fi
done
echo "abi_probe: $compared compared, $failed differ"
[ "$compared" -gt 0 ] || exit 77
[ "$failed" -eq 0 ]
