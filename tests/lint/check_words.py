# SPDX-License-Identifier: MIT
"""Fails on words that have another word in this project, and on lines that end in white space.

usage: check_words.py ROOT [WORDS]
"""
import os
import re
import sys

import tree

HERE = os.path.dirname(os.path.abspath(__file__))
ENDINGS = ('.c', '.h', '.map', '.py', '.sh', '.txt', '.cmake', '.in', '.md')


def read_words(path):
    with open(path, encoding='utf-8') as lines:
        rows = [line.rstrip('\n').split('\t') for line in lines if line.strip() and not line.startswith('#')]
    return [(re.compile(pattern), instead) for pattern, instead in rows]


def main(root, words_path=os.path.join(HERE, 'words.txt')):
    words, count, faults = read_words(words_path), 0, []
    for path in tree.walk(root, endings=ENDINGS):
        if path.startswith('tests/lint/') or '/corpus/' in path:
            continue
        count += 1
        for number, line in enumerate(tree.read(root, path).splitlines(), 1):
            for pattern, instead in words:
                match = pattern.search(line)
                if match:
                    faults.append('%s:%d: "%s": %s' % (path, number, match.group(0), instead))
            if path.startswith(tree.PRODUCT) and line != line.rstrip():
                faults.append('%s:%d: white space at the end of the line' % (path, number))
    return tree.report(faults, count, 'in the words of the project')


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
