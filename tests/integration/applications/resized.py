# SPDX-License-Identifier: MIT
"""Small blocks that become larger, smaller and larger again; across a fork; and past the hooks, which are taken off and
put on again meanwhile.  Prints what must be the same however it is traced."""
from __future__ import print_function

import gc
import os
import sys
import zlib

ROUNDS = 1500


def resized(i):
    row = bytearray()
    for j in range(i % 700):
        row.append(j & 255)
    del row[i % 300:]
    row.extend(b"y" * (i % 50))
    items = [j + 1000 for j in range(i % 90)]
    while len(items) > i % 7:
        items.pop()
    text = u""
    for j in range(i % 40):
        text += chr(97 + j % 26)
    return bytes(row), items, text, zlib.compress(b"z" * (i % 30)), {j: i for j in range(i % 9)}


def total(rows):
    return sum(sum(bytearray(row[0])) + sum(row[1]) + len(row[2]) + len(zlib.decompress(row[3])) + sum(row[4].values())
               for row in rows)


def allocators(api, ctypes):
    """(domain, the allocator on top, the one behind it)"""
    class Allocator(ctypes.Structure):
        _fields_ = [(name, ctypes.c_void_p) for name in ("ctx", "malloc", "calloc", "realloc", "free")]
    for domain in range(3):
        top = Allocator()
        api.PyMem_GetAllocator(domain, ctypes.byref(top))
        if top.ctx:
            yield domain, top, Allocator.from_address(top.ctx)


def past_the_hooks(rows):
    """What was recorded is freed and resized while nobody hears it."""
    import ctypes
    api = ctypes.pythonapi
    found = list(allocators(api, ctypes))
    for domain, _top, behind in found:
        api.PyMem_SetAllocator(domain, ctypes.byref(behind))
    for i in range(0, len(rows), 2):
        rows[i][1].extend(range(i % 100))
        rows[i][1].append(-1)
    sums = total(rows)
    del rows[1::2]
    more = [resized(i) for i in range(ROUNDS // 4)]
    for domain, top, _behind in found:
        api.PyMem_SetAllocator(domain, ctypes.byref(top))
    return sums, total(rows), total(more)


def main():
    print(total([resized(i) for i in range(ROUNDS)]))
    gc.collect()
    before = sys.getallocatedblocks()
    print(total([resized(i) for i in range(ROUNDS)]))
    gc.collect()
    print("left:", sys.getallocatedblocks() - before)
    rows = [resized(i) for i in range(ROUNDS)]
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        del rows[::3]
        rows.extend(resized(i) for i in range(ROUNDS))
        print("child:", total(rows))
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(pid, 0)
    print(total(rows))
    if sys.argv[1:] == ["past"]:
        print(past_the_hooks(rows))
        rows.extend(resized(i) for i in range(ROUNDS))
        print(total(rows))


main()
