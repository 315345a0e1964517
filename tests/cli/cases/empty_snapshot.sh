cd "$GOLDEN" || exit 1
tm-report v1-empty.tms
tm-report traceback v1-empty.tms
tm-report v1-empty.tms v1-empty.tms
tm-report --style=tracemalloc v1-empty.tms
tm-report v1-empty.tms v1-later.tms --style=tracemalloc
