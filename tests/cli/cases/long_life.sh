# Figures above 2^32, and nearly 2^62, whatever shows them.
cp "$GOLDEN/v1-long.tms" long.tms
cp "$GOLDEN/v1-basic.tms" basic.tms
for figure in live peak ever temporary; do
    tm-report --figure $figure long.tms
done
tm-report stats long.tms
tm-report --format json --figure ever long.tms
tm-report export --to csv --figure ever -d all long.tms
tm-report export --to folded --figure ever long.tms
tm-report export --to folded --figure peak long.tms
tm-report --figure ever basic.tms long.tms
tm-report merge long.tms basic.tms -o both.tms
tm-report --figure ever -g domain both.tms
