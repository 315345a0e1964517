# SPDX-License-Identifier: MIT
"""Hold BLOCKS blocks from TRACEBACKS distinct tracebacks, then say as one line of JSON what a snapshot of them costs.

many_tracebacks.py PATHS BLOCKS SNAPSHOT
Run it preloaded, with a limit of at least 10: a path is of eight calls, each from one of several lines.  Calls on the
way allocate, too, so there are about three distinct tracebacks for each path.

take      wall time of tracemalloc_take_snapshot, which lets other threads of Python run
cpu       processor time of the thread in it: the wall time on a quiet machine, but for fsync
gap       longest time for which another thread of Python stood still meanwhile
held_gap  the same, when the call keeps the interpreter's lock

With TRACEMALLOC_SIGNAL=USR1 and a TRACEMALLOC_OUTPUT, of snapshots that are due by themselves, while this thread
allocates a little and lets the other run in turns:
due       time from the signal to the file
due_gap   longest time for which the other thread stood still meanwhile
due_held  longest processor time for which one of the two was kept: the pause, also on a machine that has other work
"""
import ctypes
import gc
import glob
import json
import os
import signal
import sys
import threading
import time

import file_parts

LEVELS = 8
LINES = 5  # 5 ** 8 paths: more than anybody asks for
RUNS = 5
now = getattr(time, "perf_counter", time.time)
thread_time = getattr(time, "thread_time", time.process_time)


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
        self.longest_work = 0.0  # processor time of this thread between two ticks
        self.ticks = 0

    def run(self):
        last, worked = now(), thread_time()
        while True:
            time.sleep(0.0002)  # gives the processor and the lock of the interpreter away
            time_now, work = now(), thread_time()
            self.longest = max(self.longest, time_now - last)
            self.longest_work = max(self.longest_work, work - worked)
            last, worked = time_now, work
            self.ticks += 1

    def longest_during(self, work):
        self.longest = 0.0
        result = work()
        seen = self.ticks
        while self.ticks < seen + 2:  # a gap that lasts to the end of the work must be counted too
            time.sleep(0.0002)
        return self.longest, result


def snapshot(library, path):
    started, worked = now(), thread_time()
    error = library.tracemalloc_take_snapshot(path.encode())
    if error != 0:
        sys.exit("tracemalloc_take_snapshot: " + os.strerror(error))
    return now() - started, thread_time() - worked


def due_files():
    return len(glob.glob(os.path.splitext(os.environ["TRACEMALLOC_OUTPUT"])[0] + ".*.tms"))


def due_snapshot(ticker):
    """Whichever thread allocates makes a slice of it: the longest time between two looks at the processor's clock."""
    before, started, longest, worked = due_files(), now(), 0.0, thread_time()
    ticker.longest_work = 0.0
    os.kill(os.getpid(), signal.SIGUSR1)
    while due_files() == before:
        if now() > started + 60:
            sys.exit("no snapshot within a minute of the signal (TRACEMALLOC_SIGNAL=USR1?)")
        for _ in range(20):
            [(i, i) for i in range(20)]
            work = thread_time()
            longest, worked = max(longest, work - worked), work
        time.sleep(0.0002)
    longest = max(longest, thread_time() - worked)
    return now() - started, max(longest, ticker.longest_work)


def main(paths, blocks, path):
    if not 0 < paths <= min(LINES ** LEVELS, blocks):
        sys.exit("PATHS: 1 to %d, and no more than BLOCKS" % LINES ** LEVELS)
    library = ctypes.CDLL(None)
    holding = ctypes.PyDLL(None)
    for door in (library, holding):
        door.tracemalloc_take_snapshot.argtypes = [ctypes.c_char_p]
    library.tracemalloc_get_tracemalloc_memory.restype = ctypes.c_size_t
    gc.disable()
    allocate = make_levels()
    before = library.tracemalloc_get_tracemalloc_memory()
    heap = [allocate(number, blocks // paths) for number in range(paths)]
    own = library.tracemalloc_get_tracemalloc_memory()
    ticker = Ticker()
    ticker.start()
    time.sleep(0.05)
    quiet = [ticker.longest_during(lambda: time.sleep(0.1))[0] for _ in range(RUNS)]
    measured = [ticker.longest_during(lambda: snapshot(library, path)) for _ in range(RUNS)]
    held = [ticker.longest_during(lambda: snapshot(holding, path))[0] for _ in range(RUNS)]
    gaps, costs = zip(*measured)
    taken, cpu = zip(*costs)
    result = {"paths": paths, "blocks": sum(map(len, heap)), "tracer_bytes": own, "tracer_grown_bytes": own - before}
    figures = [("take", taken), ("cpu", cpu), ("gap", gaps), ("held_gap", held), ("gap_without", quiet)]
    if "TRACEMALLOC_SIGNAL" in os.environ:
        gaps, costs = zip(*[ticker.longest_during(lambda: due_snapshot(ticker)) for _ in range(RUNS)])
        waits, longest = zip(*costs)
        figures += [("due", waits), ("due_gap", gaps), ("due_held", longest)]
    for name, values in figures:
        result[name + "_s"], result[name + "_max_s"] = min(values), max(values)
    result.update(file_parts.figures(path))
    print(json.dumps(result))
    sys.stdout.flush()
    os._exit(0)


main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
