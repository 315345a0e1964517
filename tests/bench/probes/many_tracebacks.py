# SPDX-License-Identifier: MIT
"""Hold BLOCKS blocks from TRACEBACKS distinct tracebacks, then say as one line of JSON what a snapshot of them costs.

many_tracebacks.py TRACEBACKS BLOCKS SNAPSHOT
Run it preloaded, with a limit of at least 10: a traceback is a path of eight calls, each from one of several lines.
"""
import ctypes
import gc
import json
import os
import sys
import threading
import time

LEVELS = 8
LINES = 5  # 5 ** 8 paths: more than anybody asks for
RUNS = 5
now = getattr(time, "perf_counter", time.time)


def level_source(level):
    """One function that goes on to the next level from the line that the path's digit of this level names."""
    lines = ["def level_%d(path, count):" % level, "    digit = path // %d %% %d" % (LINES ** level, LINES)]
    for digit in range(LINES):
        lines.append("    if digit == %d:" % digit)
        lines.append("        return level_%d(path, count)" % (level + 1))
    return "\n".join(lines)


def make_levels():
    functions = {}
    source = "\n".join(level_source(level) for level in range(LEVELS))
    source += "\ndef level_%d(path, count):\n    return [object() for _ in range(count)]\n" % LEVELS
    exec(compile(source, "levels.py", "exec"), functions)
    return functions["level_0"]


class Ticker(threading.Thread):
    """Another thread of the program that allocates all the time: its longest gap is how long a snapshot stopped it."""

    def __init__(self):
        threading.Thread.__init__(self)
        self.daemon = True
        self.longest = 0.0
        self.ticks = 0

    def run(self):
        last = now()
        while True:
            time.sleep(0.0002)  # gives the processor and the lock of the interpreter away
            time_now = now()
            self.longest = max(self.longest, time_now - last)
            last = time_now
            self.ticks += 1

    def longest_during(self, work):
        self.longest = 0.0
        result = work()
        seen = self.ticks
        while self.ticks < seen + 2:  # a gap that lasts to the end of the work must be counted too
            time.sleep(0.0002)
        return self.longest, result


def snapshot(library, path):
    started = now()
    error = library.tracemalloc_take_snapshot(path.encode())
    if error != 0:
        sys.exit("tracemalloc_take_snapshot: " + os.strerror(error))
    return now() - started


def main(tracebacks, blocks, path):
    if not 0 < tracebacks <= min(LINES ** LEVELS, blocks):
        sys.exit("TRACEBACKS: 1 to %d, and no more than BLOCKS" % LINES ** LEVELS)
    library = ctypes.CDLL(None)
    library.tracemalloc_take_snapshot.argtypes = [ctypes.c_char_p]
    library.tracemalloc_get_tracemalloc_memory.restype = ctypes.c_size_t
    gc.disable()
    allocate = make_levels()
    before = library.tracemalloc_get_tracemalloc_memory()
    heap = [allocate(number, blocks // tracebacks) for number in range(tracebacks)]
    own = library.tracemalloc_get_tracemalloc_memory()
    ticker = Ticker()
    ticker.start()
    time.sleep(0.05)
    quiet = [ticker.longest_during(lambda: time.sleep(0.1))[0] for _ in range(RUNS)]
    measured = [ticker.longest_during(lambda: snapshot(library, path)) for _ in range(RUNS)]
    gaps, taken = zip(*measured)
    print(json.dumps({"tracebacks": tracebacks, "blocks": sum(map(len, heap)), "take_s": min(taken),
                      "take_max_s": max(taken), "gap_s": min(gaps), "gap_max_s": max(gaps),
                      "gap_without_s": min(quiet), "gap_without_max_s": max(quiet),
                      "file_bytes": os.stat(path).st_size,
                      "tracer_bytes": own, "tracer_grown_bytes": own - before}))
    sys.stdout.flush()
    os._exit(0)


main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
