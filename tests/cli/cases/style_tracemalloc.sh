# 3.11 shows the oldest frame of a traceback.
cd "$GOLDEN" || exit 1
for key in lineno filename traceback; do
    tm-report --style=tracemalloc -n 0 -g $key v1-basic.tms
    tm-report --style=tracemalloc -n 0 -g $key v1-basic.tms v1-later.tms
done
