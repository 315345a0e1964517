# SPDX-License-Identifier: MIT
# Prints the Python interpreters to test with, one path a line: those of TM_PYTHONS (separated by colons) if set, else
# pyenv's and those on PATH.  To be read with "."; defines one function.
tm_interpreters()
{
    if [ -n "${TM_PYTHONS:-}" ]; then
        printf '%s\n' "$TM_PYTHONS" | tr ':' '\n'
        return
    fi
    {
        if command -v pyenv >/dev/null 2>&1; then
            ls -d "$(pyenv root)"/versions/*/bin/python 2>/dev/null
        fi
        for minor in 2.7 3.6 3.7 3.8 3.9 3.10 3.11 3.12 3.13 3.14 3.15; do
            for suffix in '' d t -dbg; do
                [ -x "/usr/bin/python$minor$suffix" ] && echo "/usr/bin/python$minor$suffix"
                [ -x "/usr/local/bin/python$minor$suffix" ] && echo "/usr/local/bin/python$minor$suffix"
            done
        done
    } | while read -r python; do
        # The same program under two names is one; so are shims that stand for one found already.
        "$python" -c 'import sys, os; print("%s\t%s" % (os.path.realpath(sys.executable), sys.executable))' 2>/dev/null
    done | awk -F '\t' '!seen[$1]++ { print $2 }'
}
