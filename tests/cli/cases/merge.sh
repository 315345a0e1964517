# Workers of one service as one snapshot, which every command takes.
cp "$GOLDEN/v1-basic.tms" a.tms
cp "$GOLDEN/v1-later.tms" b.tms
try() { echo "== $*"; "$@"; echo "  exit code $?"; }
{
    try tm-report merge a.tms b.tms -o all.tms
    try tm-report all.tms
    try tm-report export --to csv --figure ever -g filename all.tms
    tm-report stats all.tms | tail -n 3
    # The sum of the rows of both is the sum's rows.
    for command in "" "--figure peak" "--figure temporary"; do
        for file in a b all; do
            tm-report export --to csv $command --domain all "$file.tms" |
                awk -F, 'NR > 1 { size += $1; count += $2 } END { print size + 0, count + 0 }'
        done
    done
    # What went wrong in one of them is said.
    tm-report merge "$GOLDEN/v1-exit.tms" "$GOLDEN/v1-exit.tms" a.tms -o exit.tms
    tm-report -n 1 exit.tms
    tms_from_text limit.tms <<END
meta memory_limit_step bytes new%20places%20are%20counted%20together
meta malloc bytes /usr/lib/libjemalloc.so.2
trace obj live=1/1 | app.py:3:main
END
    tm-report merge a.tms limit.tms -o limited.tms
    tm-report limited.tms | grep note:
    # Calls that failed are added up; the first is told of the first in which one failed.
    for what in "2 open 24" "3 mmap 12"; do
        # shellcheck disable=SC2086
        set -- $what
        tms_from_text "failed-$2.tms" <<END
meta failed_calls u64 $1
meta failed_call bytes $2
meta failed_call_errno u64 $3
trace obj live=1/1 | app.py:3:main
END
    done
    tm-report merge a.tms failed-open.tms failed-mmap.tms -o failed.tms
    tm-report failed.tms | grep note:
    tm-report merge failed.tms failed-mmap.tms -o failed.tms.again
    tm-report failed.tms.again | grep 'note:.*call'
    # Estimates stay estimates.
    tm-report merge "$GOLDEN/v1-sampled.tms" a.tms -o sampled.tms
    tm-report -n 2 sampled.tms
    # Machine frames stay what they are.
    tm-report merge "$GOLDEN/v1-native.tms" "$GOLDEN/v1-native.tms" -o native.tms
    tm-report -g traceback -n 0 --no-symbols native.tms
    for file in "$GOLDEN/v1-native.tms" native.tms; do
        tm-report export --to csv -d all -g traceback "$file" | cut -d, -f 3- | sort | cksum
    done
    try tm-report merge a.tms
    try tm-report merge a.tms missing.tms -o none.tms
    try tm-report merge a.tms b.tms -o a.tms
    try tm-report merge -i x a.tms b.tms -o c.tms
    ls
} 2>&1
