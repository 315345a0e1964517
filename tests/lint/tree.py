# SPDX-License-Identifier: MIT
"""The files of the project, for the checks of this folder."""
import os
import re

FOLDERS = ('include', 'src', 'tools', 'tests', 'examples', '.ci')
PRODUCT = ('include', 'src', 'tools')
LEFT_OUT = ('__pycache__', 'build', '.git')


def walk(root, folders=FOLDERS, endings=None):
    """Paths below ROOT, relative, sorted.  ENDINGS: only names that end so."""
    for folder in folders:
        for here, subfolders, names in sorted(os.walk(os.path.join(root, folder))):
            subfolders[:] = sorted(s for s in subfolders if s not in LEFT_OUT)
            for name in sorted(names):
                if endings is None or name.endswith(endings):
                    yield os.path.relpath(os.path.join(here, name), root)


def read(root, path):
    with open(os.path.join(root, path), encoding='utf-8', errors='surrogateescape') as file:
        return file.read()


def without_comments(text):
    """C text with its comments blanked and its lines kept.  String literals stay."""
    def blank(match):
        found = match.group(0)
        return found if found[0] in '"\'' else re.sub(r'[^\n]', ' ', found)
    return re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', blank, text, flags=re.DOTALL)


def report(faults, count, what):
    """Prints the faults and returns the exit code.  No file at all is a fault: the check would check nothing."""
    if not count:
        faults = ['nothing found to check']
    print('\n'.join(faults) if faults else '%d files, %s' % (count, what))
    return 1 if faults else 0
