#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs stdlib_parity.py in every interpreter found: parity_test.sh TM_REPORT TMS_FROM_TEXT [CASES]
# Exit code 0: all right, 1: a difference, 77: no interpreter.
here=$(cd "$(dirname "$0")" && pwd)
tried=0
failed=0
for python in $(python3 -B "$here/../integration/interpreters.py" | awk '{ print $3 }'); do
    tried=$((tried + 1))
    LC_ALL=C.UTF-8 "$python" -B "$here/stdlib_parity.py" "$@" || failed=$((failed + 1))
done
echo "$tried interpreters, $failed with differences"
[ "$tried" -gt 0 ] || exit 77
[ "$failed" -eq 0 ]
