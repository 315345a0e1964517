# Of forked processes what is their own: the sum of several, the totals, the page's data, and why no single blocks.
cp "$GOLDEN/v1-forked.tms" a.tms
cp "$GOLDEN/v1-forked.tms" b.tms
cp "$GOLDEN/v1-basic.tms" plain.tms
cp "$GOLDEN/v1-blocks.tms" blocks.tms
try() { echo "== $*"; "$@"; echo "  exit code $?"; }
{
    try tm-report merge --since-fork a.tms b.tms -o own.tms
    try tm-report own.tms
    try tm-report --since-fork own.tms
    try tm-report stats own.tms
    tm-report --format json own.tms | grep -E -o '"(peak|since_fork)": [a-z]*'
    # Twice what one of them has, in each figure.
    for figure in live ever temporary; do
        for file in a own; do
            tm-report export --since-fork --to csv --figure $figure -d all "$file.tms" |
                awk -F, 'NR > 1 { size += $1; count += $2 } END { print size + 0, count + 0 }'
        done
    done
    # With others of which all counts, what is missing in one is missing in the sum.
    tm-report merge own.tms plain.tms -o mixed.tms
    try tm-report stats mixed.tms
    tm-report merge a.tms plain.tms -o whole.tms
    try tm-report --since-fork whole.tms
    # Nobody knows its peak.
    try tm-report --figure peak own.tms
    try tm-report --fail-if-peak 1MiB own.tms
    try tm-report merge --since-fork a.tms plain.tms -o no.tms
    try tm-report stats --since-fork a.tms
    tm-report stats --since-fork --format json a.tms | grep -A 9 '"recorded"'
    try tm-report stats --since-fork plain.tms
    # RSS and mappings are of the whole process.
    tms_from_text rss.tms <<END
meta forked_from u64 11
meta rss_bytes u64 1000000
meta map_reserved u64 4096
meta map_reserved_ranges u64 1
trace obj live=4/2 ever=4/2 | app.py:3:main
inherited obj live=2/1 ever=2/1 | app.py:3:main
END
    tm-report stats rss.tms | grep -c 'RESIDENT\|beside'
    tm-report stats --since-fork rss.tms | grep -c 'RESIDENT\|beside'
    try tm-report blocks --since-fork blocks.tms
    ls
} 2>&1
