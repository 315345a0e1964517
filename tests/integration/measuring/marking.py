# SPDX-License-Identifier: MIT
"""`mark("name")`: the program's state at this point, for both tracers.

The stdlib's snapshot is taken in a forked child, so that taking it changes nothing in the program; libtracemalloc's is
taken by the program itself.  Everything else is the same in both runs.
"""
import gc

gc.disable()

import ctypes
import os
import sys
import tracemalloc

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
            tracemalloc.take_snapshot().dump(path)
        os._exit(0)
    os.waitpid(child, 0)
    if take_snapshot(encoded) and MODE == "library":
        sys.exit("no snapshot " + path)
