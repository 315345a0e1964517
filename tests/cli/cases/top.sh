# The report that people get, at a terminal of 80 columns and without one.
COLUMNS=80 tm-report "$GOLDEN/v1-basic.tms" | sed "s|$GOLDEN/||"
tm-report top "$GOLDEN/v1-basic.tms" --all | sed "s|$GOLDEN/||"
