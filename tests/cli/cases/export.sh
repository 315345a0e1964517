cd "$GOLDEN" || exit 1
tm-report export --to json -n 1 v1-basic.tms
tm-report export --to csv v1-basic.tms
tm-report export --to csv --group-by filename -n 2 v1-basic.tms v1-later.tms
tm-report export --to csv --group-by traceback -i '*/rows.py' v1-basic.tms
tm-report export --to folded v1-basic.tms -o -
tm-report export --to folded --figure ever --domain obj v1-basic.tms
tm-report export --to speedscope v1-basic.tms
tm-report export --to pprof v1-basic.tms | gzip -dc | cksum
tm-report export --to pickle v1-basic.tms | head -c 28 | tail -c 26
tm-report export --to folded v1-empty.tms
tm-report export --to csv v1-empty.tms
