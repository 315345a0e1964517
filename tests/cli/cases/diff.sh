cd "$GOLDEN" || exit 1
tm-report v1-basic.tms v1-later.tms
tm-report diff v1-basic.tms v1-later.tms --all -g filename --domain all
tm-report v1-basic.tms v1-basic.tms
tm-report --color=always -n 1 v1-basic.tms v1-later.tms
