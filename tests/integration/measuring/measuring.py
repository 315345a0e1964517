# SPDX-License-Identifier: MIT
"""The measuring point of the traced programs: `from measuring import measure` first, `measure()` last.

One file for all runs that are compared.  Up to the moment at which the traces are copied each run takes the same
steps, so that the same objects are born, die and are taken out of free lists in each.  TM_MEASURE says who measures:

    stdlib    the stdlib's tracer (python -X tracemalloc=N), traces to TM_RESULT as JSON
    library   libtracemalloc (LD_PRELOAD), its snapshot to TM_RESULT
    both      in one process: the stdlib's tracer is started here, on top of libtracemalloc; JSON to TM_RESULT,
              snapshot to TM_RESULT + ".tms"

The environments of two compared runs hold the same names, so that even os.environ is built alike.  What is made after
the traces were copied the stdlib still traces, and slowly: so few objects are made until it is stopped.
"""
import gc

gc.disable()

import ctypes
import json
import os
import sys

import _tracemalloc

MODE = os.environ["TM_MEASURE"]
RESULT = os.environ["TM_RESULT"].encode()
LIMIT = int(os.environ["TM_LIMIT"])
PLANT = os.environ.get("TM_PLANT") == "1"

process = ctypes.CDLL(None)
# In the stdlib's run something else of libc stands in for the call, so that ctypes makes the same objects.
NAMES = {"stdlib": "access", "library": "tracemalloc_take_snapshot", "both": "tracemalloc_take_snapshot"}
take_snapshot = process[NAMES[MODE]]
# The cache of method lookups keeps names alive, which ones depends on addresses: with it the stdlib's figures differ
# from run to run since 3.10.
clear_caches = getattr(sys, "_clear_internal_caches", sys._clear_type_cache)
planted = []

if MODE == "both":
    process.tracemalloc_stop()
    _tracemalloc.start(LIMIT)
    if process.tracemalloc_start(LIMIT):
        sys.exit("tracemalloc_start failed")


def measure():
    clear_caches()
    if PLANT:
        planted.append(bytearray(4321))
    # What the two ways to copy the traces would take out of free lists is taken and put back once by everybody.
    empty = []
    del empty
    process.access(RESULT, 0)
    if MODE == "library":
        error = take_snapshot(RESULT)
        if error:
            sys.exit("tracemalloc_take_snapshot: " + os.strerror(error))
        return
    if MODE == "both":
        error = take_snapshot(RESULT + b".tms")
        if error:
            sys.exit("tracemalloc_take_snapshot: " + os.strerror(error))
    save(add_up(_tracemalloc._get_traces()))


def add_up(traces):
    """The stdlib's traces per traceback: [size, count]."""
    sums = {}
    for trace in traces:
        if trace[0] == 0:  # the domain
            if trace[2] not in sums:
                sums[trace[2]] = [0, 0]
            sum_ = sums[trace[2]]
            sum_[0] += trace[1]
            sum_[1] += 1
    return sums


def references_of_a_variable():
    name = str(1.5)
    return sys.getrefcount(name)


def held_names(sums):
    """File names that only the stdlib's tracer keeps alive, in its table of file names: the program, and a run
    without that tracer, has dropped them.  Rows of places, the text of each place's name, and rows like those of save."""
    names, places = {}, {}
    for traceback in sums:
        for frame in traceback:
            if frame not in places:
                name, line = frame
                places[frame] = key, _ = id(name), line
                names[key] = name
    rows = [[[places[frame] for frame in reversed(traceback)], size, count] for traceback, (size, count) in sums.items()]
    del traceback, frame, name
    places.clear()
    sums.clear()
    names = list(names.items())
    held = []
    for index in range(len(names)):
        key, name = names[index]
        names[index] = None
        is_held = sys.getrefcount(name) == 1 + references_of_a_variable()
        traceback = _tracemalloc._get_object_traceback(name) if is_held else None
        if traceback:
            held.append([[list(frame) for frame in reversed(traceback)], sys.getsizeof(name), 1])
        names[index] = key, str(name)
    texts = dict(names)
    return rows, texts, held


def save(sums):
    """Oldest frame first."""
    rows, texts, held = held_names(sums)
    _tracemalloc.stop()
    rows = [[[(texts[key], line) for key, line in places], size, count] for places, size, count in rows]
    with open(RESULT.decode(), "w") as output:
        output.write(json.dumps({"traces": rows, "held": held}))  # json.dump is not written in C
