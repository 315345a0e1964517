cd "$GOLDEN" || exit 1
for options in "-g filename" "-g traceback" "-c" "-c -g filename" "--stdlib-cumulative" "-n 2" "-n 1 --all" "-f ever" \
    "-f peak" "-d native" "-d python" "-d mmap" "-d raw,mem"; do
    echo "== $options"
    tm-report $options v1-basic.tms
done
