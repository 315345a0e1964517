# SPDX-License-Identifier: MIT
"""Clear: forget what was allocated so far, and look only at what one part of the program does.

    LD_PRELOAD=libtracemalloc.so python3 examples/clear.py
    tm-report work.tms

Also shown: traced memory now and at most, in bytes, and how to begin a new peak.
"""
import ctypes

tracer = ctypes.PyDLL(None)  # holds the GIL: where other threads allocate, what is cleared is cleared for all at once


def traced_memory():
    current, peak = ctypes.c_size_t(), ctypes.c_size_t()
    tracer.tracemalloc_get_traced_memory(ctypes.byref(current), ctypes.byref(peak))
    return current.value, peak.value


start_up = ["made at start-up %d" % number for number in range(5000)]
tracer.tracemalloc_clear_traces()

work = ["made by the work %d" % number for number in range(2000)]
for turn in range(3):
    large = ["passing %d" % number for number in range(20000)]
    del large
tracer.tracemalloc_take_snapshot(b"work.tms")

current, peak = traced_memory()
tracer.tracemalloc_reset_peak()
new_current, new_peak = traced_memory()
print(peak > 3 * current, new_peak < peak / 2)
