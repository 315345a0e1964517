# SPDX-License-Identifier: MIT
"""`mark("name")`: the program's state at this point, for both tracers.

Both snapshots are taken in a forked child, so that taking one changes nothing in the program: the stdlib's own makes
and frees so many objects that the free lists, and with them the lines of what the program makes next, would differ.
"""
import gc

gc.disable()

import ctypes
import os
import sys
import tracemalloc

import _tracemalloc

MODE = os.environ["TM_MEASURE"]
FOLDER = os.environ["TM_RESULT"]

process = ctypes.CDLL(None)
NAMES = {"stdlib": "access", "library": "tracemalloc_take_snapshot"}
take_snapshot = process[NAMES[MODE]]
clear_caches = getattr(sys, "_clear_internal_caches", sys._clear_type_cache)


def mark(name):
    path = os.path.join(FOLDER, name)
    encoded = path.encode()
    clear_caches()
    empty = []
    del empty
    process.access(encoded, 0)
    child = os.fork()
    if child == 0:
        if MODE == "stdlib":
            traces = _tracemalloc._get_traces()
            tracemalloc.Snapshot(traces, tracemalloc.get_traceback_limit()).dump(path)
        elif take_snapshot(encoded):
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit("no snapshot " + path)
