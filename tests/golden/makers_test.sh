#!/bin/sh
# SPDX-License-Identifier: MIT
# makers_test.sh TMS_FROM_TEXT BROKEN_MAKER
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
failed=0

"$1" stored "$scratch/stored.tms" <"$here/v1-basic.txt" || exit 1
cmp "$scratch/stored.tms" "$here/v1-stored.tms" || failed=1

mkdir "$scratch/broken"
"$2" "$scratch/broken" || exit 1
[ "$(ls "$scratch/broken")" = "$(ls "$here/broken")" ] || {
    echo "broken/ has other files than broken_maker makes"
    failed=1
}
for file in "$scratch"/broken/*.tms; do
    case ${file##*/} in
    zstd-*) ;;
    *) cmp "$file" "$here/broken/${file##*/}" || failed=1 ;;
    esac
done
exit $failed
