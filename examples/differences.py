# SPDX-License-Identifier: MIT
"""Differences: what grew between two moments.

    LD_PRELOAD=libtracemalloc.so python3 examples/differences.py
    tm-report before.tms after.tms

The program takes its own snapshots: the preloaded library's functions are reached by ctypes.
"""
import ctypes

tracer = ctypes.CDLL(None)
cache = {}


def answer(question):
    if question not in cache:
        cache[question] = ("answer to %06d " % question) * 20
    return len(cache[question])


for question in range(500):
    answer(question)
tracer.tracemalloc_take_snapshot(b"before.tms")

for question in range(3000):
    answer(question)
tracer.tracemalloc_take_snapshot(b"after.tms")
