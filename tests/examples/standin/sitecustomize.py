# SPDX-License-Identifier: MIT
"""Lets an example run unchanged under the stdlib's tracer, to hear its answer.

TM_EXAMPLE=stdlib: ctypes.CDLL(None) and PyDLL(None) have the control API's functions, made of the tracemalloc module, and
the end of the program dumps exit.dump.  TM_EXAMPLE=library: nothing is changed, only the same modules are loaded.
"""
import atexit
import ctypes
import gc
import os
import tracemalloc

gc.disable()  # its moments depend on what else was allocated, which is not the same in both runs


class StandIn(object):
    def tracemalloc_take_snapshot(self, path):
        tracemalloc.take_snapshot().dump(os.fsdecode(path).replace(".tms", ".dump"))
        return 0

    def tracemalloc_clear_traces(self):
        tracemalloc.clear_traces()

    def tracemalloc_get_traced_memory(self, current, peak):
        current._obj.value, peak._obj.value = tracemalloc.get_traced_memory()

    def tracemalloc_reset_peak(self):
        if hasattr(tracemalloc, "reset_peak"):  # 3.9
            tracemalloc.reset_peak()
        else:
            tracemalloc.clear_traces()


if os.environ["TM_EXAMPLE"] == "stdlib":
    stand_in = StandIn()
    for kind in ("CDLL", "PyDLL"):
        setattr(ctypes, kind, lambda name, *more, real=getattr(ctypes, kind), **options:
                stand_in if name is None else real(name, *more, **options))
    atexit.register(lambda: stand_in.tracemalloc_take_snapshot(b"exit.tms"))
