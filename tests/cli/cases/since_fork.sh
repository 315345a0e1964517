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
# With every section that there is: what gave no names is said.
tms_from_text "$OLDPWD/all.tms" <<END
meta forked_from u64 11
size native 16 2 2
module /opt/nowhere/lib.so aa
trace native live=4/2 ever=4/2 | app.py:3:main /opt/nowhere/lib.so+0x10
inherited native live=2/1 ever=2/1 | app.py:3:main /opt/nowhere/lib.so+0x10
block native 1000 2 | app.py:3:main /opt/nowhere/lib.so+0x10
END
tm-report --since-fork "$OLDPWD/all.tms" | grep -c '^note: '
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
