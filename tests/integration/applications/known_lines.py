# SPDX-License-Identifier: MIT
"""Allocates on known lines; prints [line, blocks, bytes] as JSON: how many objects were made there and how large.

For 2.7, which has no tracemalloc of its own.  Only types without a free list are looked at: those of int, float, dict,
list, tuple and frames are a documented limit there.  The lists are made before, so that each line makes nothing else.
"""
import json
import os
import sys
import ctypes

COUNT = 1000
expected = []
kept = []
places = list(range(COUNT))


class Old:
    pass


class New(object):
    __slots__ = ("left", "right")


class Text(str):
    pass


def say(line, objects):
    expected.append([line, len(objects), sum(map(sys.getsizeof, objects))])
    kept.append(objects)


def line():
    return sys._getframe(1).f_lineno


def make(objects):
    for place in places:
        objects[place] = object()
    return line() - 1


def generated(objects):
    for place in places:
        objects[place] = "%d" % place * 7
        yield line() - 1


objects = [None] * COUNT
for place in places:
    objects[place] = object(); here = line()
say(here, objects)

objects = [None] * COUNT
for place in places:
    objects[place] = New(); here = line()
say(here, objects)

objects = [None] * COUNT
say(make(objects), objects)

objects = [None] * COUNT
for place in places:
    objects[place] = "%06d" % place * 100; here = line()
say(here, objects)

objects = [None] * COUNT
words = ["word %d" % place for place in places]
for place in places:
    objects[place] = words[place].upper(); here = line()
say(here, objects)

objects = [None] * COUNT
for place in places:
    objects[place] = (place, words, None, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20); here = line()
say(here, objects)

objects = [None] * COUNT
for place in places:
    objects[place] = bytearray(); here = line()
say(here, objects)

objects = [None] * COUNT
for place in places:
    objects[place] = iter(words); here = line()
say(here, objects)

# Freed and made again elsewhere.
objects = [object() for place in places]
del objects
objects = [None] * COUNT
for place in places:
    objects[place] = object(); here = line()
say(here, objects)

status = ctypes.CDLL(None).tracemalloc_take_snapshot(os.path.join(sys.argv[1], "lines.tms").encode())
json.dump({"status": status, "expected": expected}, sys.stdout)
