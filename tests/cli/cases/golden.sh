# What each version of the format holds is read for ever, compressed or not.
cd "$GOLDEN" || exit 1
tm-report --format json -g traceback -d all,mmap v1-stored.tms | sed s/v1-stored/v1-basic/ > "$OLDPWD/stored.json"
tm-report --format json -g traceback -d all,mmap v1-basic.tms | tee "$OLDPWD/basic.json"
cmp "$OLDPWD/stored.json" "$OLDPWD/basic.json"
cat v1-basic.tms | tm-report --format json -g traceback -d all,mmap - | sed 's/"path": "-"/"path": "v1-basic.tms"/' |
    cmp - "$OLDPWD/basic.json"
