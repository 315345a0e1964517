#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counters after very many events, and threads that come and go for ever.

Pairs of allocations and frees in each way that there is, with and without the GIL, in one thread and in four: every
one is counted, nothing of them is live, bytes and blocks do not drift apart from the records.  Threads, of C and of
Python: after the first thousand the tracer takes no more memory and its store no more room.

With --full 10^10 pairs, of which more than 2^32 are of one record, a million threads of C and 200,000 of
Python."""
from __future__ import print_function

import json
import os
import sys

import interpreters
import traced

PAIRS = os.path.join(traced.HERE, "applications", "pairs.py")
THREADS = os.path.join(traced.HERE, "applications", "threads_for_ever.py")
CLEARED = r"""
import ctypes, sys, threading
held, tracer = ctypes.PyDLL(None), ctypes.CDLL(None)
sys.setswitchinterval(1e-6)
over = []

def work():
    while not over:
        for _ in range(200):
            kept = [1.5 * number for number in range(30)], bytearray(3000)

for turn in range(int(sys.argv[1])):
    del over[:]
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        held.tracemalloc_clear_traces()
    over.append(1)
    for thread in threads:
        thread.join()
    assert tracer.tracemalloc_take_snapshot(("%d.tms" % turn).encode()) == 0
"""
WAYS = {"obj": "obj", "mem": "mem", "large": "obj", "raw": "raw", "native": "native", "held_native": "native",
        "threads": "native"}  # and their domains
IN_MANY = ("obj", "native")
SIZES = {"large": 2000, "native": 2000}
SIZE = 40
WARM_THREADS = 1000
TRACER_GROWTH = 1 << 20  # the table of blocks, where another heap of malloc's gets its turn: nothing for each thread


def line_of(way):
    """0: threads that Python does not know have no frames."""
    with open(PAIRS) as program:
        found = [number for number, line in enumerate(program, 1) if 'names("%s")' % way in line]
    return 0 if way == "threads" else found[0]


class Figures(object):
    """Blocks and bytes of a domain at one line of a snapshot, and what the snapshot says besides."""

    def __init__(self, options, path, way):
        line = line_of(way)
        for figure in ("live", "ever"):
            found = traced.statistics(options.report, path, "lineno", "--domain", WAYS[way], "--figure", figure)
            rows = [row for row in found["statistics"] if is_at(row, line)]
            setattr(self, figure, (sum(row["count"] for row in rows), sum(row["size"] for row in rows)))
        self.facts = found["snapshot"]


def is_at(row, line):
    place = row["traceback"][0]
    return place["lineno"] == line and place["filename"].endswith("/pairs.py" if line else "<unknown>")


def pairs(options, checks, folder, interpreter):
    many, count = ((1 << 32) + 10000000, 300000000) if options.full else (2000000, 1200000)
    done = traced.run([interpreter.path, PAIRS, options.loops, str(many), str(count)], folder.fresh(),
                      interpreter.environment(LD_PRELOAD=options.library, TRACEMALLOC_NFRAME=str(options.nframe)),
                      timeout=7000)
    checks.equal((done.code, done.stderr), (0, b""), "the program")
    for way in sorted(WAYS):
        before, after = (Figures(options, os.path.join(done.folder, "%s.%d.tms" % (way, number)), way)
                         for number in range(2))
        made = many if way in IN_MANY else count
        for i, unit in enumerate((1, SIZES.get(way, SIZE))):
            checks.equal(after.ever[i] - before.ever[i], made * unit, "%s: all are counted" % way)
        checks.equal(after.live, before.live, "%s: nothing is left" % way)
        rows_agree(checks, way, after.facts)
    print("  %d pairs" % (len(IN_MANY) * many + (len(WAYS) - len(IN_MANY)) * count))


def rows_agree(checks, what, facts):
    """The totals are the sums of the records."""
    python = sum(facts["domains"][domain]["size"] for domain in ("raw", "mem", "obj"))
    heap = python + facts["domains"]["native"]["size"]
    checks.equal((facts["python_current"], facts["heap_current"]), (python, heap), "%s: totals" % what)


def threads(options, checks, folder, interpreter, kind, count):
    """Of C, of which each thousandth leaves a block, or of Python."""
    done = traced.run([interpreter.path, THREADS, kind, options.loops, str(WARM_THREADS), str(count)], folder.fresh(),
                      interpreter.environment(LD_PRELOAD=options.library, TRACEMALLOC_NFRAME=str(options.nframe)),
                      timeout=7000)
    if not checks.equal((done.code, done.stderr), (0, b""), "%s threads: the program" % kind):
        return
    told = json.loads(done.stdout.decode())
    tracer, store = told["tracer"], told["store"]
    checks.that(tracer[1] - tracer[0] <= TRACER_GROWTH, "%s threads: the tracer does not grow" % kind, tracer)
    checks.equal(store[1], store[0], "%s threads: nor does its store" % kind)
    rows = [traced.statistics(options.report, os.path.join(done.folder, name + ".tms"), "lineno", "--domain", "native",
                              "--figure", "live") for name in ("warm", "end")]
    counted = [sum(row["count"] for row in one["statistics"] if is_at(row, 0)) for one in rows]
    kept = count // told["keep_each"] if kind == "C" else 0
    checks.equal(counted[1] - counted[0], kept, "%s threads: what they left" % kind)
    rows_agree(checks, kind + " threads", rows[1]["snapshot"])
    print("  %d threads of %s: the tracer grew by %d bytes" % (count, kind, tracer[1] - tracer[0]))


def cleared(options, checks, folder, interpreter):
    """By a thread that holds the GIL, while others allocate: nothing of before is left over."""
    turns = 300 if options.full else 60
    done = traced.run([interpreter.path, "-c", CLEARED, str(turns)], folder.fresh(), interpreter.environment(
        LD_PRELOAD=options.library, TRACEMALLOC_NFRAME=str(options.nframe), TRACEMALLOC_OUTPUT="exit.tms"),
        timeout=3000)
    checks.equal((done.code, done.stderr, len(done.snapshots())), (0, b"", turns + 1), "cleared: the program")
    for path in done.snapshots():
        rows_agree(checks, "cleared", traced.statistics(options.report, path, "domain")["snapshot"])


def threads_of_c(options, checks, folder, interpreter):
    threads(options, checks, folder, interpreter, "C", 1000000 if options.full else 20000)


def threads_of_python(options, checks, folder, interpreter):
    threads(options, checks, folder, interpreter, "Python", 200000 if options.full else 5000)


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--loops", required=True, type=os.path.abspath, help="the library of long_life/loops.c")
    parser.add_argument("--nframe", type=int, default=1)
    options = parser.parse_args()
    chosen = interpreters.select(options.pythons, python3_only=True)
    if not options.pythons:
        chosen = chosen[-1:]  # it is the tracer that is tried, not the interpreter
    return traced.on_each(options, chosen, "long life", pairs, cleared, threads_of_c, threads_of_python)


if __name__ == "__main__":
    sys.exit(main())
