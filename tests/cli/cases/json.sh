cd "$GOLDEN" || exit 1
tm-report --format json v1-basic.tms
tm-report --format json -n 1 -g traceback v1-basic.tms v1-later.tms
tm-report --format json v1-empty.tms
