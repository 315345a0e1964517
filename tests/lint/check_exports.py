# SPDX-License-Identifier: MIT
"""Fails when the preload library exports anything but what its map lists, or the map lists what is not there.

usage: check_exports.py LIBRARY MAP
"""
import fnmatch
import re
import sys

import elf


def read_map(path):
    """The names and patterns that the map makes global."""
    with open(path, encoding='utf-8') as file:
        text = re.sub(r'/\*.*?\*/|#[^\n]*', '', file.read(), flags=re.DOTALL)
    names, is_global = [], False
    for statement in re.split(r'[;{}]', text):
        label, colon, rest = statement.rpartition(':')
        if colon:
            is_global = label.split()[-1:] == ['global']
        if is_global and rest.split():
            names.append(rest.split()[0])
    return names


def faults_of(exported, names):
    for name in sorted(exported):
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in names):
            yield 'exports %s, which the map does not list' % name
    for pattern in names:
        if pattern == '*':
            yield 'the map makes everything global'
        elif not fnmatch.filter(exported, pattern):
            yield 'the map lists %s, which is not exported' % pattern


def main(path, map_path):
    exported = {name for name, _, defined, _ in elf.symbols(path) if defined}
    faults = list(faults_of(exported, read_map(map_path)))
    if 'malloc' not in exported:
        faults.append('malloc is not exported: is this the library?')
    print('\n'.join('%s: %s' % (path, fault) for fault in faults) or '%s exports %d names, all of the map'
          % (path, len(exported)))
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
