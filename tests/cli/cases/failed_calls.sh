cat > one.txt <<END
meta pid u64 4711
meta failed_calls u64 1
meta failed_call bytes mmap
meta failed_call_errno u64 12
trace obj live=1048576/10000 ever=1048576/10000 | app.py:3:main
END
tms_from_text one.tms < one.txt
tm-report one.tms
sed -e 's/failed_calls u64 1/failed_calls u64 3/' -e 's/errno u64 12/errno u64 99999999999/' one.txt | tms_from_text three.tms
tm-report three.tms | grep '^note'
tm-report --format json one.tms | grep -o '"failed[^,]*'
