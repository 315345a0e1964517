# SPDX-License-Identifier: MIT
"""Daemon threads that allocate in C, without the GIL and under deep stacks, while the interpreter goes away.  All on one
processor, so that most of them are stopped in the middle of an allocation when it does."""
import ctypes
import os
import threading
import time

THREADS = 6
libc = ctypes.CDLL(None)
started = []


def deep(depth, function):
    return deep(depth - 1, function) if depth else function()


def compile_patterns():
    pattern = ctypes.create_string_buffer(256)
    started.append(None)
    while True:
        libc.regcomp(pattern, b"a*b(c|d)e", 1)
        libc.regfree(pattern)


os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
for _ in range(THREADS):
    thread = threading.Thread(target=deep, args=(120, compile_patterns))
    thread.daemon = True
    thread.start()
while len(started) < THREADS:
    time.sleep(0.001)
time.sleep(0.01)
print("done")
