# tm-top: what is wrong with its arguments.
try() { echo "== $*"; "$@"; echo "  exit code $?"; }
{
    try tm-top
    try tm-top 1 2
    try tm-top x.live
    try tm-top -q 1
    try tm-top -d
    try tm-top -d 0 1
    try tm-top -d nan 1
    try tm-top -g line 1
    try tm-top -s up 1
    try tm-top -c -g traceback 1
    try tm-top --once 4194304
    tm-top --version | sed 's/[0-9.]*$/X/'
    try tm-top --help
} 2>&1
