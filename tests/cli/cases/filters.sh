cd "$GOLDEN" || exit 1
show() { echo "== $*"; tm-report --style=tracemalloc "$@" v1-basic.tms; }
show -i '*/rows.py'
show -i '*/rows.py:12'
show -I '*/app.py'
show -x '*/rows.py' -x '<*'
show -X '*/app.py'
show -i '*.py' -x '*:9'
show --include '[!/]*'
