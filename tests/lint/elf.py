# SPDX-License-Identifier: MIT
"""What readelf says of one shared library."""
import os
import re
import subprocess


def readelf(path, *options):
    environment = dict(os.environ, LC_ALL='C')
    return subprocess.run(['readelf', '-W', *options, path], env=environment, stdout=subprocess.PIPE, check=True,
                          universal_newlines=True).stdout


def symbols(path):
    """(name, version, is defined, is weak) of each dynamic symbol.  Symbols that define a version are left out."""
    for line in readelf(path, '--dyn-syms').splitlines():
        words = line.split()
        if len(words) >= 8 and words[0].rstrip(':').isdigit():
            name, _, version = words[7].partition('@')
            if name and words[6] != 'ABS':
                yield name, version.lstrip('@'), words[6] != 'UND', words[4] == 'WEAK'


def needed(path):
    return re.findall(r'\(NEEDED\)\s+Shared library: \[([^]]+)\]', readelf(path, '-d'))


def glibc_floor(path):
    """The newest GLIBC_ version asked for, as a tuple, with the symbols that ask for it."""
    asked = {}
    for name, version, defined, weak in symbols(path):
        if not defined and re.match(r'GLIBC_\d', version):
            asked.setdefault(tuple(int(n) for n in version[6:].split('.')), []).append(name)
    return max(asked.items()) if asked else ((0,), [])
