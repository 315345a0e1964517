# SPDX-License-Identifier: MIT
"""Fails when an #include crosses a floor, a column, or when two files share a name.

usage: check_layers.py ROOT [LAYERS]
"""
import fnmatch
import os
import re
import sys

import tree

INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')


def read_layers(path):
    layers = {}
    with open(path, encoding='utf-8') as lines:
        for line in lines:
            words = line.split('#')[0].split()
            if words:
                layers[words[0]] = (int(words[1]), words[2], [w for w in words[3:] if w != '-'])
    return layers


def staircase_faults(layers):
    """The list itself must be a staircase: nothing looks up, or across to the other column."""
    for folder, (floor, column, allowed) in layers.items():
        for other in allowed:
            other_floor, other_column, others = layers[other]
            if other_floor > floor or (other_floor == floor and folder in others):
                yield 'layers: %s may not look up at %s' % (folder, other)
            if other_floor == floor and column != 'shared':
                yield 'layers: %s and %s are on one floor' % (folder, other)
            if other_column not in ('shared', column):
                yield 'layers: %s may not look across at %s' % (folder, other)


def row_of(layers, folder):
    if folder in layers:
        return folder
    return next((pattern for pattern in layers if '*' in pattern and fnmatch.fnmatch(folder, pattern)
                 and folder.count('/') == pattern.count('/')), None)


def folder_of(include):
    for start, prefix in (('tracemalloc/', 'include/'), ('tools/', ''), ('tests/', '')):
        if include.startswith(start):
            return os.path.dirname(prefix + include)
    return os.path.dirname('src/' + include)


def include_faults(root, layers, path):
    folder = os.path.dirname(path)
    row = row_of(layers, folder)
    if row is None:
        yield '%s: no row for %s in layers.txt' % (path, folder)
        return
    for number, line in enumerate(tree.read(root, path).splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = folder_of(match.group(1))
        if target != folder and target not in layers[row][2]:
            yield '%s:%d: %s may not include %s' % (path, number, folder, target)
        elif not os.path.exists(os.path.join(root, target, os.path.basename(match.group(1)))):
            yield '%s:%d: %s: paths are written from src/' % (path, number, match.group(1))


def name_faults(paths):
    seen = {}
    for path in paths:
        name = os.path.basename(path)
        if name != 'CMakeLists.txt':
            if name in seen:
                yield '%s: the name is taken by %s' % (path, seen[name])
            seen[name] = path


def main(root, layers_path=os.path.join(os.path.dirname(os.path.abspath(__file__)), 'layers.txt')):
    layers = read_layers(layers_path)
    sources = list(tree.walk(root, tree.PRODUCT, ('.c', '.h')))
    faults = list(staircase_faults(layers))
    if not faults:
        for path in sources:
            faults.extend(include_faults(root, layers, path))
    faults.extend(name_faults(tree.walk(root, tree.PRODUCT)))
    return tree.report(faults, len(sources), 'no crossing')


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
