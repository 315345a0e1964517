# SPDX-License-Identifier: MIT
# stresses: a big heap: five live blocks per item, holes made and filled in cold memory, then the teardown of it all
# sizes: full=1000000 counted=50000 smoke=5000
import gc
import sys

STEP = 7


class Slotted(object):
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y


def build(size):
    # Five blocks an item: object, int, float, string, tuple.
    items = []
    append = items.append
    for i in range(size):
        append((Slotted(i + 1000000, i * 0.5), "k%d" % i))
    return items


def drop_and_rebuild(items):
    for i in range(0, len(items), STEP):
        items[i] = None
    for i in range(0, len(items), STEP):
        items[i] = (Slotted(i + 1000000, i * 0.5), "k%d" % i)
    return items


gc.disable()
# Global, so that it lives until the interpreter takes the module down.
heap = drop_and_rebuild(build(int(sys.argv[1])))
