# The commands of the example for a CI service, taken from it: within the limits, and past them.
recipe=$GOLDEN/../../examples/memory_check.yaml
sed -n '/- name: check/,/- if:/{/^          /p;}' "$recipe" > check.sh
grep -c tm-report check.sh
try() { sh -e ./check.sh > report.txt 2> errors.txt; echo "exit code $?"; tail -n 1 report.txt; cat errors.txt; }
cp "$GOLDEN/v1-basic.tms" now.tms
try
cp "$GOLDEN/v1-later.tms" main.tms
sed -i "s|\*/myapp/\*|/srv/*|" check.sh
try
sed -i 's/2MiB/1KiB/' check.sh
try
sed -i 's/500MiB/1MiB/' check.sh
try
