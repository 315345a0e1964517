# tm-snap: what is wrong with its arguments, and files that are no stores.
try() { echo "== $*"; "$@"; echo "  exit code $?"; }
echo text > text.live
cp "$GOLDEN/v1-empty.tms" a.tms
ln -s a.tms link.live
{
    try tm-snap
    try tm-snap 1 2
    try tm-snap --what
    try tm-snap -o
    try tm-snap -o x.%q.tms 1
    try tm-snap -o x.% 1
    try tm-snap --every 0s 1
    try tm-snap --every 5d 1
    try tm-snap --count 0 1
    try tm-snap --count 2 1
    try tm-snap --list 1
    try tm-snap --list --collect
    try tm-snap --list --list 1
    try tm-snap --list --every 1s
    try tm-snap --collect -o x.tms
    try tm-snap 99999999
    try tm-snap missing.live
    try tm-snap text.live
    try tm-snap a.tms
    try tm-snap link.live
    try tm-snap .
    try tm-snap --collect
    try tm-snap --collect missing
    tm-snap --version | sed 's/[0-9.]*$/X/'
    try tm-snap --help
    ls
} 2>&1
