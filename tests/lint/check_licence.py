# SPDX-License-Identifier: MIT
"""Fails when a source file does not say its licence in its first two lines.

usage: check_licence.py ROOT
"""
import os
import sys

import tree

LINES = {'.c': '/* SPDX-License-Identifier: MIT */', '.h': '/* SPDX-License-Identifier: MIT */',
         '.py': '# SPDX-License-Identifier: MIT', '.sh': '# SPDX-License-Identifier: MIT'}


def main(root):
    count, faults = 0, []
    for path in tree.walk(root, endings=tuple(LINES)):
        if path.startswith('tests/cli/cases/'):  # a few lines each, shown to the reader whole
            continue
        count += 1
        if LINES[os.path.splitext(path)[1]] not in tree.read(root, path).splitlines()[:2]:
            faults.append('%s:1: the line "%s" is missing' % (path, LINES[os.path.splitext(path)[1]]))
    return tree.report(faults, count, 'each with its licence')


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
