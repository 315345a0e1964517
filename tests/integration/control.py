#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The control API, called by ctypes from inside each interpreter, and the snapshots that it writes."""
from __future__ import print_function

import os
import sys

import interpreters
import traced

CALLS = os.path.join(traced.HERE, "applications", "control_calls.py")


# 300 lines that allocate, cleared or started again each time: what is of an epoch that is gone takes no more room.
CLEARS = """
import ctypes
api = ctypes.CDLL(None)
api.tracemalloc_get_tracemalloc_memory.restype = ctypes.c_size_t
exec('def work():\\n' + ''.join('    x%d = [0] * %d\\n' % (i, 10 + i) for i in range(300)))
def run(rounds):
    for i in range(rounds):
        work()
        if i % 2:
            api.tracemalloc_clear_traces()
        else:
            api.tracemalloc_stop()
            api.tracemalloc_start(1)
    return api.tracemalloc_get_tracemalloc_memory()
before = run(200)
print(run(1500) - before)
"""


def text_line(mark):
    with open(CALLS) as stream:
        return [number for number, line in enumerate(stream, 1) if mark in line][0]


def largest(options, path, group="traceback"):
    rows = traced.statistics(options.report, path, group)["statistics"]
    row = max(rows, key=lambda one: one["size"])
    return row["size"], row["count"], [frame["lineno"] for frame in row["traceback"]]


def check(options, checks, folder, interpreter):
    output = folder.fresh("snapshots")
    done = traced.run([interpreter.path, CALLS, output], folder.fresh(), interpreter.environment(
        LD_PRELOAD=options.library))
    checks.equal((done.code, done.stderr), (0, b""), "code and stderr")
    checks.equal(done.stdout, b"done\n", "answers")
    wanted = ["last.tms", "restarted.tms", "twice.tms"]
    checks.equal(sorted(os.listdir(output)), wanted, "snapshots, and nothing beside them")
    checks.equal((len(done.snapshots()), done.stores()), (1, []), "the exit snapshot")
    text = text_line("return (\"%010d\"")
    for name, creator in (("restarted.tms", "fresh = ["), ("last.tms", "kept = [")):
        size, count, lines = largest(options, os.path.join(output, name))
        checks.that(count == 1000 and 1000 * 1000 < size < 1100 * 1000, name + ": 1,000 blocks", (size, count))
        checks.that(lines[-1] == text and text_line(creator) in lines, name + ": lines", lines)


def clears(options, checks, folder, interpreter):
    done = traced.run([interpreter.path, "-c", CLEARS], folder.fresh(), interpreter.environment(LD_PRELOAD=options.library))
    checks.equal((done.code, done.stderr), (0, b""), "cleared for ever: code and stderr")
    checks.that(int(done.stdout) < 500000, "memory that 1,500 epochs took", done.stdout)


def main():
    options = traced.arguments(__doc__).parse_args()
    return traced.on_each(options, interpreters.select(options.pythons), "control", check, clears)


if __name__ == "__main__":
    sys.exit(main())
