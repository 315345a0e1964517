# SPDX-License-Identifier: MIT
"""Threads that come and go, a few at a time, each of which allocates; JSON says what the tracer takes.

usage: threads_for_ever.py C|Python LOOPS WARM COUNT     LOOPS is the library of long_life/loops.c

First WARM of them, then a snapshot (warm.tms), COUNT more, another (end.tms).
"""
import ctypes
import glob
import json
import os
import sys
import threading

KEEP_EACH = 1000
AT_ONCE = 4
tracer = ctypes.CDLL(None)
loops = ctypes.CDLL(sys.argv[2])
size = ctypes.c_size_t(100)
sizes = {"tracer": [], "store": [], "keep_each": KEEP_EACH}


def of_c(count):
    assert loops.loops_threads(ctypes.c_uint64(count), size, ctypes.c_uint64(KEEP_EACH)) == 0


def work():
    bytearray(5000)
    tracer.free(ctypes.c_void_p(tracer.malloc(size)))


def of_python(count):
    for _ in range(0, count, AT_ONCE):
        threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


tracer.malloc.restype = ctypes.c_void_p
tracer.tracemalloc_get_tracemalloc_memory.restype = ctypes.c_size_t
run = of_c if sys.argv[1] == "C" else of_python
for name, count in (("warm", int(sys.argv[3])), ("end", int(sys.argv[4]))):
    run(count)
    assert tracer.tracemalloc_take_snapshot((name + ".tms").encode()) == 0
    sizes["tracer"].append(tracer.tracemalloc_get_tracemalloc_memory())
    sizes["store"].append(sum(os.path.getsize(path) for path in glob.glob("*.live")))
print(json.dumps(sizes))
