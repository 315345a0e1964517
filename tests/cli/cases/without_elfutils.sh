# Where machine frames would have got names, a tm-report that was built without elfutils says so, once; else not.
cp "$GOLDEN/v1-native.tms" "$GOLDEN/v1-basic.tms" .
report_without_elfutils traceback -n 1 v1-native.tms
report_without_elfutils traceback -n 1 --no-symbols v1-native.tms | grep -c elfutils
report_without_elfutils -n 1 v1-basic.tms | grep -c elfutils
report_without_elfutils symbolize -o again.tms v1-native.tms && ls
