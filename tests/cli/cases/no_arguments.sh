# Usage, and the snapshots that are here, newest first.
for i in 1 2 3 4 5 6; do
    cp "$GOLDEN/v1-empty.tms" $i.tms
    touch -d "2020-01-01 00:00:0$i" $i.tms
done
tm-report
