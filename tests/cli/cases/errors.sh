cp "$GOLDEN/v1-later.tms" good.tms
try() { echo "== $*"; "$@"; echo "  exit code $?"; }
{
    try tm-report missing.tms
    try tm-report good.tms missing.tms
    try tm-report .
    try tm-report good.tms --output /missing/file
    try tm-report good.tms --output good.tms
    tm-report good.tms > /dev/full; echo "full disk: exit code $?"
    tm-report --help > /dev/full; echo "full disk: exit code $?"
} 2>&1
cmp good.tms "$GOLDEN/v1-later.tms"
