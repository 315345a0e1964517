try() { echo "== $*"; "$@"; echo "  exit code $?"; }
cp "$GOLDEN/v1-later.tms" good.tms
printf 'meta pid u64 1\ntrace obj live=600000000/600000000 | a.py:1\n' | tms_from_text large.tms
echo before > report
{
    try tm-report export good.tms
    try tm-report export --to xml good.tms
    try tm-report --to csv good.tms
    try tm-report export --to folded
    try tm-report export --to folded good.tms good.tms
    try tm-report export --to pprof --figure peak good.tms
    try tm-report export --to pickle --group-by filename good.tms
    try tm-report export --to csv --format json good.tms
    try tm-report export --to csv good.tms -o good.tms
    try tm-report html -o report
    try tm-report html --figure peak good.tms -o report
    try tm-report tree --no-source good.tms
    try tm-report export --to csv missing.tms -o report
    try tm-report export --to pprof "$GOLDEN/broken/section-cut.tms" -o report
    try tm-report export --to pickle large.tms -o report
    tm-report export --to pprof good.tms > /dev/full; echo "full disk: exit code $?"
    try tm-report export --to csv good.tms -o /dev/null
} 2>&1 | sed "s|$GOLDEN/||"
cat report
ln -s report link
chmod 640 report
tm-report export --to csv good.tms -o link && stat -c %a report && head -1 report
ls
