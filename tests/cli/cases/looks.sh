# Bars, columns, parts of paths, the rows at the other end.
cd "$GOLDEN" || exit 1
show() { echo "== $*"; tm-report "$@" | sed '/^v1.*tms: Python/,/^$/d'; }
show --color always v1-basic.tms
LC_ALL=C show --color always v1-basic.tms
LC_ALL=C show tree v1-basic.tms
show --color always --no-color v1-basic.tms
show -S v1-basic.tms
show -C -A v1-basic.tms
show -S -C -A --color always v1-basic.tms
show -A v1-exit.tms
show -C v1-basic.tms v1-later.tms
show -P 1 v1-basic.tms
show -P 2 -g traceback v1-basic.tms
show -P 9 -g filename v1-basic.tms
show -S -A v1-sampled.tms
show -n -2 v1-basic.tms
show -n -2 --style=tracemalloc -s location v1-basic.tms
show -n -3 v1-basic.tms v1-later.tms
show traceback -n -1 v1-basic.tms
show export --to csv -n -2 v1-basic.tms
show -P none v1-basic.tms
show -n -x v1-basic.tms
show tree -n -1 v1-basic.tms
exit 0
