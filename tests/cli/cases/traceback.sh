# Lines of source are shown where the file is there.
mkdir sub
printf 'import b\n\n    x = [b.f()]  # here\n' > sub/a.py
tms_from_text one.tms <<END
meta cwd bytes $(pwd)/sub
meta traceback_limit u64 2
trace obj live=3000/3 | a.py:3:main missing.py:7:f
trace obj live=10/1 | <string>:1
trace mem live=10/2 | a.py:99:main
END
tm-report traceback one.tms
tm-report traceback one.tms --style=tracemalloc
tm-report traceback one.tms -n 1
