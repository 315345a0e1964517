# Lines of source below the rows and frames: found elsewhere, newer than the snapshot, left out.
mkdir -p here/app elsewhere/app
printf 'import b\ndef main():\n    return [b.f() for _ in range(100000)]\n' > here/app/a.py
sed 's/f()/g()/' here/app/a.py > elsewhere/app/a.py
touch -d '2027-01-15 00:00:00' here/app/a.py
touch -d '2031-01-15 00:00:00' elsewhere/app/a.py
tms_from_text one.tms <<END
meta cwd bytes $(pwd)/here
meta time_ns u64 1861920000000000000
meta traceback_limit u64 25
trace obj live=3000/3 | app/a.py:2:main app/a.py:3:main.<locals>.<listcomp>
trace obj live=2000/3 | /remote/app/a.py:1:run /remote/app/a.py:2:main /remote/app/a.py:3:g
trace mem live=10/2 | app/a.py:99:main
END
tm-report one.tms
tm-report -g filename one.tms
tm-report --no-source one.tms
tm-report --source-root "/remote=$PWD/elsewhere" -g traceback one.tms
COLUMNS=70 tm-report --source-root "/remote=$PWD/elsewhere" one.tms
tm-report --source-root "/remote/=elsewhere" traceback -n 2 one.tms
tm-report traceback --no-source --frames 2 --most-recent-first one.tms -n 2
tm-report traceback --frames -1 --style=tracemalloc one.tms -n 2
tm-report traceback --frames 1 --style=tracemalloc one.tms -n 2
tm-report --source-root /remote one.tms
tm-report traceback --frames all one.tms
exit 0
