# One fault each: one clear line and exit code 1.
cd "$GOLDEN/broken" || exit 1
for file in *.tms; do
    tm-report "$file" 2>&1
    echo "  exit code $?"
done
