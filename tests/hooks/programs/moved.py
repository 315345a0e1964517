# SPDX-License-Identifier: MIT
# Blocks that grow, shrink and fail to grow, by the C API's own realloc: their sizes, and those that stay where they
# were, must be on their lines.  Prints count and bytes of each domain on each of the two lines.  Then a block that is moved
# each time before anything else is allocated; how often, is the last number.
import ctypes
import itertools
import sys

TOO_MUCH = 1 << 60
HISTORIES = [[40, 100, TOO_MUCH], [100, 40], [300, 200, TOO_MUCH, TOO_MUCH], [20, 400, 2000], [2000, 400, TOO_MUCH],
             [30, 30], [500, 600, TOO_MUCH, 512], [24, TOO_MUCH, 25], [5, 17, 5], [17, 5, TOO_MUCH], [90, TOO_MUCH],
             [700, TOO_MUCH, TOO_MUCH]]


def function(name, *arguments):
    found = getattr(ctypes.pythonapi, name)
    found.restype = ctypes.c_void_p
    found.argtypes = arguments
    return found


def live_of(history):
    return [size for size in history if size != TOO_MUCH][-1]


for domain in ("PyMem", "PyObject"):
    malloc = function(domain + "_Malloc", ctypes.c_size_t)
    realloc = function(domain + "_Realloc", ctypes.c_void_p, ctypes.c_size_t)
    sums = [[0, 0], [0, 0]]
    for turn in range(312):
        history = HISTORIES[turn % len(HISTORIES)]
        begins = turn % 3 == 0
        block = realloc(None, history[0]) if begins else malloc(history[0])  # line 1
        moved = False
        for size in history[1:]:
            answer = realloc(block, size)  # line 2
            moved = moved or answer is not None
            block = answer or block
        block = answer = None
        sums[moved][0] += 1
        sums[moved][1] += live_of(history)
    print(*[number for pair in sums for number in pair])

sizes, growing = [], bytearray()
for _ in range(200):
    growing.append(0)
    sizes.append(sys.getsizeof(growing))
growing = bytearray()
for _ in itertools.repeat(None, 200):
    growing.append(0)  # line 3
print(len(set(sizes)) - 1)
