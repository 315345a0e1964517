# SPDX-License-Identifier: MIT
"""Makes the library do all that it asks the kernel for: tables grow, threads without the GIL, a child, snapshots.

usage: all_calls.py API_SNAPSHOT LINES

LINES is a file of compiled lines, which is made where it is missing: only the first of many runs compiles them.
"""
from __future__ import print_function

import ctypes
import marshal
import os
import sys
import threading


def compiled():
    for part in range(8):
        lines = ["kept.append([bytearray(%d), {%d: %r}])" % (number % 1500, number, "text %d" % number)
                 for number in range(500)]
        yield compile("\n".join(lines), "part %d" % part, "exec")


if not os.path.exists(sys.argv[2]):
    with open(sys.argv[2], "wb") as stream:
        marshal.dump(list(compiled()), stream)

# Many lines that allocate: names, frames, tracebacks and records outgrow their first pages, and so do blocks.
kept = []
with open(sys.argv[2], "rb") as stream:
    parts = marshal.load(stream)
for part in parts:
    exec(part)
kept.append(bytearray(3 << 20))

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]


def without_gil():
    for size in range(1, 700):
        libc.free(libc.malloc(size * 7))


threads = [threading.Thread(target=without_gil) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

pid = os.fork()
if pid == 0:
    kept.extend([bytearray(100) for _ in range(2000)])
    sys.stdout.write("child %d\n" % len(kept))
    sys.stdout.flush()
    os._exit(3)
print("child ended:", os.waitpid(pid, 0)[1] >> 8)

if hasattr(libc, "tracemalloc_take_snapshot"):
    error = libc.tracemalloc_take_snapshot(sys.argv[1].encode())
    if error:
        with open("api.error", "w") as stream:
            stream.write("%d\n" % error)
print("kept", len(kept), sum(len(str(item)) for item in kept) % 1000003)
sys.exit(4)
