# A pattern that matches nothing: what may have been meant.
cd "$GOLDEN" || exit 1
try() { echo "== $*"; tm-report --style=tracemalloc "$@" v1-basic.tms; echo "  exit code $?"; }
{
    try -i rows.py
    try -i rows.py:12
    try -i srv/app
    try -i '*/app.py'
    try -i '*/rwos.py'
    try -i '*/nothing.py'
    try -I '*/nothing.py' -i '*/rows.py'
    try -i '*/rows.py:77'
    try --function load
    try --function main
    try --function load_row
    try -i '*/rows.py' -x '*'
    try -i '*/rows.py' -d mmap
    try -x '*'
} 2>&1
