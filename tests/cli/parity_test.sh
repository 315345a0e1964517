#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs stdlib_parity.py in every interpreter found: parity_test.sh TM_REPORT TMS_FROM_TEXT [CASES [SEED]]
# CASES in each; `2000/all`: that many in all of them together.
# Exit code 0: all right, 1: a difference, 77: no interpreter.
here=$(cd "$(dirname "$0")" && pwd)
report=$1
converter=$2
cases=${3:-150}
seed=${4:-2020}
tried=0
failed=0
pythons=$(python3 -B "$here/../integration/interpreters.py" | awk '{ print $3 }')
case $cases in
*/all)
    # Releases without the module have no cases.
    count=0
    for python in $pythons; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 6))' && count=$((count + 1))
    done
    [ "$count" -gt 0 ] && cases=$(((${cases%/all} + count - 1) / count))
    ;;
esac
for python in $pythons; do
    tried=$((tried + 1))
    LC_ALL=C.UTF-8 "$python" -B "$here/stdlib_parity.py" "$report" "$converter" "$cases" "$((seed + tried))" ||
        failed=$((failed + 1))
done
echo "$tried interpreters, $failed with differences"
[ "$tried" -gt 0 ] || exit 77
[ "$failed" -eq 0 ]
