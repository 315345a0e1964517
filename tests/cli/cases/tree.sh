# Calls as a tree: chains are one row, small calls and those beyond the limit are summed up.
cd "$GOLDEN" || exit 1
tm-report tree v1-basic.tms
tm-report tree -n 1 v1-basic.tms
tm-report tree --all -d python v1-later.tms
tm-report tree v1-exit.tms
tm-report tree v1-empty.tms
cd "$OLDPWD" || exit 1
{
    echo "meta traceback_limit u64 400"
    printf 'trace obj live=9000/9 |'
    for line in $(seq 1 300); do printf ' /srv/deep/%s.py:%s:f%s' "$line" "$line" "$line"; done
    echo
    echo 'trace mem live=90/1 | /srv/deep/1.py:1:f1 /srv/deep/2.py:2:f2 /srv/small.py:1:small'
    echo 'trace mem live=4000/1 | /srv/a.py:1:a /srv/b.py:1:b'
    echo 'trace mem live=1000/1 | /srv/a.py:1:a /srv/b.py:1:b /srv/c.py:1:c'
    echo 'trace mem live=2000/1 |'
    echo 'trace mem live=2500/1 | a%1b%5b.py:1:f%1b /srv/b.py:9:g /srv/c.py:1:h'
} | tms_from_text deep.tms
tm-report tree deep.tms
COLUMNS=80 tm-report tree deep.tms | sed -n '4,6p'
tm-report tree --all deep.tms | wc -l
tm-report tree -g lineno deep.tms
tm-report tree deep.tms deep.tms
