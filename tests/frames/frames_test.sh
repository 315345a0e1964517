#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs SCRIPT PROBE in every interpreter found: frames_test.sh frame_cases.py libframe_probe.so
# Exit code 0: all right, 1: a fault, 77: no interpreter.
here=$(cd "$(dirname "$0")" && pwd)
pythons=$(python3 -B "$here/../integration/interpreters.py" | awk '{ print $3 }')
script=$1
probe=$2
tried=0
failed=0
for python in $pythons; do
    tried=$((tried + 1))
    PYTHONDONTWRITEBYTECODE=1 "$python" "$here/$script" "$probe" || {
        echo "FAILED: $python"
        failed=$((failed + 1))
    }
done
echo "$script: $tried interpreters, $failed failed"
[ "$tried" -gt 0 ] || exit 77
[ "$failed" -eq 0 ]
