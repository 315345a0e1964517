# Of a forked process what is its own, in every command that has rows.
cd "$GOLDEN" || exit 1
tm-report --since-fork v1-forked.tms
tm-report top --since-fork --figure ever -g traceback v1-forked.tms
tm-report tree --since-fork v1-forked.tms
tm-report traceback --since-fork v1-forked.tms
tm-report diff --since-fork v1-forked.tms v1-forked.tms
tm-report --since-fork --style tracemalloc v1-forked.tms
tm-report export --since-fork --to folded v1-forked.tms
tm-report --since-fork --format json v1-forked.tms
# Formats that have every figure leave out the peak.
tm-report export --since-fork --to speedscope v1-forked.tms | grep -E -o '"name":"[a-z]* bytes"|"activeProfileIndex":.'
tm-report export --since-fork --to speedscope --figure ever v1-forked.tms | grep -o '"activeProfileIndex":.'
tm-report export --since-fork --to pprof v1-forked.tms | gzip -dc | od -An -tx1 -N 30
tm-report export --to pprof v1-forked.tms | gzip -dc | od -An -tx1 -N 30
# All of it, as of any process.
tm-report v1-forked.tms
# Not of others, and not their peak.
tm-report --since-fork v1-basic.tms
echo "exit code $?"
tm-report diff --since-fork v1-forked.tms v1-basic.tms
echo "exit code $?"
tm-report --since-fork - < v1-basic.tms
echo "exit code $?"
tm-report --since-fork --figure peak v1-forked.tms
echo "exit code $?"
tm-report --since-fork --fail-if-peak 1MiB v1-forked.tms
