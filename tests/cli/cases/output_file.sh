cp "$GOLDEN/v1-later.tms" top
tm-report ./top -o report.txt && cat report.txt
tm-report ./top --style=tracemalloc --output=- | head -1
tm-report -- ./top | tail -1
