# Machine frames beside Python's: by their names, and by module and address where they have none.
cd "$GOLDEN" || exit 1
tm-report -n 0 --no-symbols v1-native.tms
tm-report -n 0 -g filename --no-symbols v1-native.tms
tm-report -n 3 -c --no-symbols v1-native.tms
tm-report -n 0 traceback --no-symbols v1-native.tms
tm-report --format json -d all -g traceback --no-symbols v1-native.tms
tm-report export --to folded -d all --no-symbols v1-native.tms
tm-report export --to csv -d all -g traceback -n 0 --no-symbols v1-native.tms
tm-report symbolize --no-symbols -o "$OLDPWD/x.tms" v1-native.tms
# Written again it is the same to every reader.
tm-report symbolize -o "$OLDPWD/again.tms" v1-native.tms 2>"$OLDPWD/notes"
cd "$OLDPWD" && cp "$GOLDEN/v1-native.tms" first.tms
tm-report --no-symbols --format json -d all -g traceback first.tms | sed s/first/again/ >first.json
tm-report --no-symbols --format json -d all -g traceback again.tms | cmp - first.json
# What a file names does not move the terminal.
tms_from_text odd.tms <<END
module /opt/%1B[2Jodd/lib.so aa
trace native live=1/1 | app.py:3:main /opt/%1B[2Jodd/lib.so+0x10
END
tm-report symbolize -o again.tms odd.tms 2>notes
grep -c "$(printf '\033')" notes || :
