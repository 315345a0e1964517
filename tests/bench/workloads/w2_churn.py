# SPDX-License-Identifier: MIT
# stresses: short-lived small objects of many kinds from many lines; free lists; frees close to their allocations
# sizes: full=300000 counted=15000 smoke=2000
import sys

BATCH = 20


class Plain(object):
    def __init__(self, a, b):
        self.a = a
        self.b = b


class Slotted(object):
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y


def make_objects(count):
    return [Plain(i, str(i)) for i in range(count)]


def make_slotted(count):
    return [Slotted(i, i + 1000) for i in range(count)]


def make_dicts(count):
    return [{"id": i, "name": "n%d" % i, "v": (i, i + 1)} for i in range(count)]


def make_tuples(count):
    return [(i, i * 3.5, "abc" + str(i)) for i in range(count)]


def make_strings(count):
    return ",".join("item-%d" % i for i in range(count)).split(",")


def churn(size):
    total = 0
    for _ in range(size // BATCH):
        total += len(make_objects(BATCH))
        total += len(make_slotted(BATCH))
        total += len(make_dicts(BATCH))
        total += len(make_tuples(BATCH))
        total += len(make_strings(BATCH))
    return total


churn(int(sys.argv[1]))
