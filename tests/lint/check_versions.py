# SPDX-License-Identifier: MIT
"""Fails when a CPython release number stands outside the one file that may know them.

usage: check_versions.py ROOT

Comments may name releases (they give the source of a fact); code may not.  What differs between releases is a
field of a row of cpython_layout.c, asked for by its meaning.
"""
import re
import sys

import tree

HOME = 'src/runtime/unwind/cpython_layout.c'
RELEASE = re.compile(r'''\bPY_(?:VERSION|MAJOR|MINOR|MICRO)\w*
                       | \b0x0[23][0-9a-fA-F]{2}(?:[0-9a-fA-F]{2}[abcfABCF][0-9])?\b
                       | \b[23]U?L?\s*<<\s*(?:8|16|24)\b
                       | \b(?:release|version|minor)\s*(?:[<>]=?|[!=]=)\s*(?:0x)?[1-9]
                       | "[^"\n]*python[23]\.?\d[^"\n]*"
                       | "[23]\.\d+[^"\n]*"''', re.VERBOSE)


def main(root):
    paths = list(tree.walk(root, ('src',), ('.c', '.h')))
    faults = []
    for path in paths:
        if path == HOME:
            continue
        for number, line in enumerate(tree.without_comments(tree.read(root, path)).splitlines(), 1):
            match = None if line.lstrip().startswith('#include') else RELEASE.search(line)
            if match:
                faults.append('%s:%d: %s: release numbers belong in %s' % (path, number, match.group(0), HOME))
    return tree.report(faults, len(paths), 'no release number outside ' + HOME)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
