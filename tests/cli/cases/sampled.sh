cd "$GOLDEN" || exit 1
tm-report v1-sampled.tms
tm-report --domain all v1-sampled.tms
tm-report v1-basic.tms v1-sampled.tms
tm-report traceback -n 2 v1-sampled.tms
tm-report stats v1-sampled.tms
tm-report --format json -n 1 v1-sampled.tms
tm-report --format json -n 1 v1-basic.tms v1-sampled.tms
tm-report --limit 2 v1-sampled.tms v1-basic.tms
tm-report tree v1-sampled.tms
