# SPDX-License-Identifier: MIT
"""Hold N items of five blocks, then say as one line of JSON what they cost and what a snapshot of them costs.

live_objects.py ITEMS none|us|stdlib SNAPSHOT [leave]

Ends without the interpreter's teardown, but with "leave": some tracers write their file there.
"""
import gc
import json
import os
import sys
import time

BLOCKS_OF_AN_ITEM = 5
now = getattr(time, "perf_counter", time.time)


class Slotted(object):
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y


def build(count):
    items = []
    append = items.append
    for i in range(count):
        append((Slotted(i + 1000000, i * 0.5), "k%d" % i))
    return items


def rss_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def snapshot_of_ours(path):
    import ctypes

    library = ctypes.CDLL(None)
    library.tracemalloc_take_snapshot.argtypes = [ctypes.c_char_p]
    library.tracemalloc_get_tracemalloc_memory.restype = ctypes.c_size_t
    own = library.tracemalloc_get_tracemalloc_memory()
    started = now()
    error = library.tracemalloc_take_snapshot(path.encode())
    taken = now() - started
    if error != 0:
        sys.exit("tracemalloc_take_snapshot: " + os.strerror(error))
    return {"take_s": taken, "to_file_s": taken, "tracer_bytes": own}


def snapshot_of_stdlib(path):
    import tracemalloc

    own = tracemalloc.get_tracemalloc_memory()
    started = now()
    snapshot = tracemalloc.take_snapshot()
    taken = now() - started
    snapshot.dump(path)
    written = now() - started
    started = now()
    snapshot.statistics("lineno")
    return {"take_s": taken, "to_file_s": written, "report_s": now() - started, "tracer_bytes": own}


def main(count, kind, path):
    gc.disable()
    before = rss_bytes()
    heap = build(count)
    result = {"blocks": len(heap) * BLOCKS_OF_AN_ITEM, "rss_bytes": rss_bytes(), "rss_before_bytes": before}
    if kind != "none":
        result.update({"us": snapshot_of_ours, "stdlib": snapshot_of_stdlib}[kind](path))
        result["file_bytes"] = os.stat(path).st_size
    print(json.dumps(result))
    sys.stdout.flush()
    if "leave" not in sys.argv[4:]:
        os._exit(0)  # the teardown is what the workloads measure


main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
