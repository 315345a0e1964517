# Snapshots of several moments: growth, its slope, and what never stopped growing.
take() # NUMBER PID MINUTES GROWING STEADY SHRINKING
{
    tms_from_text "app.$1.tms" <<END
meta pid u64 $2
meta start_time_ns u64 77
meta time_ns u64 $((1800000000000000000 + $3 * 60000000000))
meta traceback_limit u64 25
trace obj live=$4/$1 | /srv/app.py:1:main /srv/app.py:7:handle
trace obj live=$5/1 | /srv/app.py:1:main /srv/cache.py:3:get
trace mem live=$6/9 | /srv/app.py:1:main /srv/lib/python3.11/json/decoder.py:30:decode
END
}
take 1 4711 0 1000 500 90000
take 2 4711 30 3000 900 50000
take 3 4711 60 5000 900 70000
take 5 4711 700 6000 900 70000
take 4 4712 60 5000 900 70000
try() { echo "== $*"; "$@"; echo "  exit code $?"; }
{
    try tm-report app.3.tms app.1.tms app.2.tms
    try tm-report series -g module -c --all app.1.tms app.2.tms app.3.tms
    try tm-report series -n 1 --sort location app.1.tms app.2.tms
    try tm-report series --format json -n 1 app.1.tms app.2.tms app.3.tms
    try tm-report series --fail-if-growth 1KiB --per-line app.1.tms app.2.tms app.3.tms
    try tm-report series --fail-if-growth 1KiB --per-line -o out.txt app.1.tms app.2.tms app.3.tms
    try tm-report app.1.tms app.2.tms app.4.tms
    try tm-report series app.1.tms app.2.tms app.4.tms
    try tm-report app.1.tms app.2.tms app.5.tms | head -n 2
    try tm-report app.1.tms app.4.tms
    try tm-report app.3.tms app.1.tms
    try tm-report series app.1.tms
    try tm-report series --style=tracemalloc app.1.tms app.2.tms
    printf 'meta pid u64 4711\ntrace obj live=7000/3 | /srv/app.py:7:handle\n' | tms_from_text untimed.tms
    try tm-report app.1.tms app.2.tms untimed.tms
} 2>&1
