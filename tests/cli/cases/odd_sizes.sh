# Units change where Python's change them.
line=0
for size in 0 1 99 100 999 1000 1023 1024 10239 10240 102348 102349 102399 102400 1023999 1048576 104857549 104857600 \
    107374182400 109951162777600 1125899906842624 1152921504606846976; do
    line=$((line + 1))
    echo "trace obj live=$size/3 | a.py:$line"
done | tms_from_text x.tms
tm-report --style=tracemalloc -n 0 x.tms
tm-report -n 0 x.tms
