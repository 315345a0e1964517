# Machine frames beside Python's: by their names, and by module and address where they have none.
cd "$GOLDEN" || exit 1
tm-report -n 0 v1-native.tms
tm-report -n 0 -g filename v1-native.tms
tm-report -n 3 -c v1-native.tms
tm-report -n 0 traceback v1-native.tms
tm-report --format json -d all -g traceback v1-native.tms
tm-report export --to folded -d all v1-native.tms
tm-report export --to csv -d all -g traceback -n 0 v1-native.tms
