# SPDX-License-Identifier: MIT
"""Allocates through the module `callee` in ways whose stacks are known; the expected ones stand in native.py."""
import functools
import sys

sys.path.insert(0, sys.argv[1])
import callee  # noqa: E402

PLAIN = ["malloc", "calloc", "realloc", "posix_memalign", "strdup", "new", "alloca", "deep", "thread", "nogil",
         "inlined", "rare", "rare, twice"]


def plain():
    for number, how in enumerate(PLAIN):
        callee.make(how, 700001 + number)


def inner():
    callee.make("malloc", 700101)


def middle():
    inner()


def callback():
    callee.call(middle)


def again(depth):
    if depth == 0:
        callee.make("malloc", 700102)
    else:
        callee.call(functools.partial(again, depth - 1))


def generate():
    yield 1
    callee.make("malloc", 700103)
    yield 2


def generator():
    for _ in generate():
        pass


class Item(object):
    def __init__(self, key):
        self.key = key

    def __lt__(self, other):
        if self.key == 1:
            callee.make("malloc", 700104)
        return self.key < other.key

    def __getattr__(self, name):
        callee.make("malloc", 700105)
        return name


def in_sort():
    [Item(2), Item(1)].sort()


def in_getattr():
    Item(3).missing


def in_map():
    return list(map(mapped, [1]))


def mapped(value):
    callee.make("malloc", 700106)
    return value


def in_class():
    class Made(object):
        callee.make("malloc", 700107)
    return Made


def seldom():
    callee.make("rare", 700108)


def called_seldom():
    callee.call_rarely(seldom)


plain()
callback()
again(3)
generator()
in_sort()
in_getattr()
in_map()
in_class()
called_seldom()
