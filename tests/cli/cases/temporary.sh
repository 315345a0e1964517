# What was freed at once: blocks are counted, bytes estimated; most blocks first.
tms_from_text t.tms <<'END'
meta pid u64 7
meta traceback_limit u64 25
trace obj live=64/1 ever=6400/100 temporary=90 | a.py:1:main a.py:2:loop
trace obj live=0/0 ever=100000/10 temporary=3 | a.py:1:main a.py:9:load
trace mem live=10/1 ever=10/1 | a.py:1:main
END
tm-report --figure temporary t.tms
tm-report --figure temporary --sort size --style=tracemalloc t.tms
tm-report export --to json --figure temporary -g domain t.tms | tail -n 4
