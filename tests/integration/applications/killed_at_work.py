# SPDX-License-Identifier: MIT
"""Allocates and frees in four threads, under the GIL and without, until it is killed or kills itself.

usage: killed_at_work.py HOW SECONDS    kill: waits to be killed; segv, abort: after SECONDS; nomemory: all the time there
                                        is no memory left; oom: takes more and more
"""
from __future__ import print_function

import ctypes
import os
import random
import sys
import threading
import time

how, seconds = sys.argv[1], float(sys.argv[2])
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.realloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]


def native(rng):
    block = libc.realloc(libc.malloc(rng.randrange(1, 3000)), rng.randrange(1, 9000))
    return [block, libc.malloc(rng.randrange(1, 600))]


def work(seed):
    rng = random.Random(seed)
    kept = []
    while True:
        try:
            kept.append([bytearray(rng.randrange(3000)) for _ in range(20)])
            kept.append(dict((str(i), [i, float(i)]) for i in range(rng.randrange(60))))
            kept[-1]["native"] = native(rng)
            for _ in range(10):
                text = "x" * rng.randrange(1, 2000)
                kept[-2].append(text + "y")
            if how == "oom":
                # At last in one go: near the limit the kernel takes the program's code away, page by page, for minutes.
                kept.append(bytearray(200000 if len(kept) < 240 else 32 << 20))
        except MemoryError:
            del kept[:len(kept) // 2]
        if len(kept) > 300 and how not in ("oom", "nomemory"):
            for gone in kept[:100]:
                if isinstance(gone, dict):
                    for block in gone["native"]:
                        libc.free(block)
            del kept[:100]


for seed in range(4):
    thread = threading.Thread(target=work, args=(seed,))
    thread.daemon = True
    thread.start()
print("ready")
sys.stdout.flush()
if how == "nomemory":
    import resource
    with open("/proc/self/statm") as stream:
        size = int(stream.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + (64 << 20), resource.RLIM_INFINITY))
time.sleep(seconds)
if how == "segv":
    ctypes.string_at(0)
elif how == "abort":
    os.abort()
time.sleep(600)
