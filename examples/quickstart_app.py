# SPDX-License-Identifier: MIT
"""An indexer of Python sources with a leak, for quickstart.sh.

It reads the modules of the standard library and notes which file defines which function.  Its `recent` list was
meant to hold the last few files for error messages.  Nobody ever shortens it, so every syntax tree stays.

usage: quickstart_app.py BEFORE AFTER      names of the two snapshots it takes, when it runs under libtracemalloc
"""
import ast
import ctypes
import glob
import os
import sys
import sysconfig


class Index:
    def __init__(self):
        self.places = {}
        self.recent = []

    def parse(self, path):
        with open(path, 'rb') as file:
            return ast.parse(file.read(), path)

    def add(self, path):
        tree = self.parse(path)
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                self.places.setdefault(node.name, []).append((path, node.lineno))
        self.recent.append(tree)


def take_snapshot(path):
    """Asks the preloaded library for a snapshot; a plain run has no library to ask."""
    library = ctypes.CDLL(None)
    if hasattr(library, 'tracemalloc_take_snapshot'):
        error = library.tracemalloc_take_snapshot(os.fsencode(path))
        if error:
            sys.exit('no snapshot: ' + os.strerror(error))


def main(index, before, after):
    sources = sorted(glob.glob(os.path.join(sysconfig.get_paths()['stdlib'], '*.py')))[:80]
    for number, path in enumerate(sources):
        if number == len(sources) // 4:
            take_snapshot(before)
        index.add(path)
    take_snapshot(after)
    print('%d files, %d names' % (len(sources), len(index.places)))


if __name__ == '__main__':
    INDEX = Index()
    main(INDEX, *sys.argv[1:])
