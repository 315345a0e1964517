# Each command's own help; --help may stand before or behind it.
tm-report diff --help
for command in top traceback stats export html; do
    tm-report "$command" --help > help.txt
    echo "exit $?"
    sed -n '1,/^$/d; /^$/q; p' help.txt
    grep -oE '^ +(-., )?--[a-z-]+' help.txt | sed 's/.*--//' | paste -s -d ' '
    sed -n '/^Examples/,$p' help.txt
done
tm-report --help diff > before.txt
tm-report diff --help | cmp - before.txt && echo same
