cd "$GOLDEN" || exit 1
tm-report stats v1-basic.tms
tm-report stats --format json v1-basic.tms
