# Most was freed: the rows are those of the peak, and the notes say what to know.
cd "$GOLDEN" || exit 1
tm-report v1-exit.tms
tm-report --figure live v1-exit.tms
tm-report -d python v1-exit.tms -g filename
