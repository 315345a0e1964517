# SPDX-License-Identifier: MIT
# stresses: ten million live objects without locality: entries of a dictionary replaced in an order like chance
# sizes: full=2500000 counted=50000 smoke=5000
import gc
import sys

CHANGED = 10  # one in so many is replaced
STRIDE = 2654435761  # odd and large: successive steps lie far apart


class Entry(object):
    __slots__ = ("number", "name")

    def __init__(self, number, name):
        self.number = number
        self.name = name


def build(size):
    # Four objects an entry: key, entry, number, name.
    return {i + 1000: Entry(i * 3 + 1000, "name %d" % i) for i in range(size)}


def replace(table, size):
    for step in range(size // CHANGED):
        key = step * STRIDE % size + 1000
        table[key] = Entry(key * 5, "new %d" % key)


gc.disable()
count = int(sys.argv[1])
heap = build(count)
replace(heap, count)
