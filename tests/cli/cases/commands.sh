# A word that is no file is a command that was mistyped; options go with some commands only.
cp "$GOLDEN/v1-empty.tms" a.tms
cp a.tms snapshot
try() { echo "== $*"; "$@"; echo "  exit code $?"; }
{
    try tm-report dif a.tms a.tms
    try tm-report tpo a.tms
    try tm-report trace a.tms
    try tm-report graph a.tms
    try tm-report graph --help
    try tm-report graph.tms
    try tm-report ./graph
    tm-report snapshot | head -n 1
    try tm-report stats -i '*' a.tms
    try tm-report tree --no-source a.tms
    try tm-report html -n 3 a.tms -o page
    try tm-report traceback -g lineno a.tms
    try tm-report --fail-if-growth 1 a.tms
} 2>&1
