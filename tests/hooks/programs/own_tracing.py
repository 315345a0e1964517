# SPDX-License-Identifier: MIT
# Starts, asks and stops the tracemalloc module in every way; what it prints does not depend on where it runs.
import gc
import tracemalloc
import warnings

gc.disable()
print(tracemalloc.is_tracing(), tracemalloc.get_traced_memory(), tracemalloc.get_traceback_limit())
for limit in (1, 5, 2):
    tracemalloc.start(limit)
    blocks = [bytes(1000 + i) for i in range(100)]
    print(tracemalloc.is_tracing(), tracemalloc.get_traceback_limit())
    print([tracemalloc.get_object_traceback(block)[-1].lineno for block in blocks[:3]])
    snapshot = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*own_tracing.py", 13)])
    print(sum(trace.size for trace in snapshot.traces if trace.size > 1000))
    blocks = None
    current, peak = tracemalloc.get_traced_memory()
    print(current < 50000 < 100000 < peak)
    small = [bytes(100 + i) for i in range(100)]
    tracemalloc.clear_traces()
    print(tracemalloc.get_traced_memory()[0] < 1000)
    tracemalloc.stop()
    print(tracemalloc.is_tracing(), tracemalloc.get_traced_memory())
try:
    tracemalloc.take_snapshot()
except RuntimeError as error:
    print(error)
warnings.simplefilter("always")
open(__file__)
