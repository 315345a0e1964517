# SPDX-License-Identifier: MIT
"""Periodic snapshots: one every so often, to see afterwards what grew, where, since when.

    LD_PRELOAD=libtracemalloc.so python3 examples/periodic_snapshots.py
    tm-report snapshot-1.tms snapshot-2.tms
    tm-report snapshot-1.tms snapshot-4.tms

Without a line of code: TRACEMALLOC_INTERVAL=5min, and from outside `tm-snap --every 5min PID`.
"""
import ctypes

tracer = ctypes.CDLL(None)
log = []
recent = []


def handle(request):
    log.append("request %06d was handled" % request)  # nobody empties it
    recent.append(str(request) * 50)
    del recent[:-100]


for request in range(1, 4001):
    handle(request)
    if request % 1000 == 0:
        tracer.tracemalloc_take_snapshot(b"snapshot-%d.tms" % (request // 1000))
