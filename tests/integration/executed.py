#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Code that is made anew for ever: the tracer does not grow, sums hold, and what is live keeps its own lines.

With --full a million functions, else 40,000; and a module that is reloaded 50,000 times, else 2,000."""
from __future__ import print_function

import os
import re
import sys

import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "applications", "templates.py")
# usage: COUNT; prints bytes of the tracer after a tenth of COUNT reloads, and after all.
RELOADED = r"""
import ctypes, importlib, sys
sys.path.insert(0, ".")
with open("part.py", "w") as stream:
    for number in range(40):
        stream.write("def work%d():\n    return [float(i) for i in range(%d)]\n\n\n" % (number, number + 5))
    stream.write("kept = work0(), work39()\n")
import part
memory = ctypes.CDLL(None).tracemalloc_get_tracemalloc_memory
memory.restype = ctypes.c_size_t
for share in (1, 9):
    for _ in range(int(sys.argv[1]) * share // 10):
        importlib.reload(part)
        part.work20()
    print(memory())
"""
TRACER_GROWTH = 512 << 10  # bytes: of nothing that a reload makes there may be one for each
KEPT = 20
LINE_BYTES = 8 * 5000  # of the list, at least
# The kept lists are 800 KB of it; without an end to what is remembered it was 540 bytes per function.
GROWTH_KB = 8000


def grown_kb(done):
    return int(done.stdout.split()[-1])


def check(options, checks, folder, interpreter, count, frames):
    step = count // KEPT
    command = [interpreter.path, PROGRAM, str(count), str(step)]
    done = traced.run(command, folder.fresh(), interpreter.environment(
        LD_PRELOAD=options.library, TRACEMALLOC_NFRAME=str(frames)), timeout=3000)
    checks.equal((done.code, done.stderr, len(done.snapshots())), (0, b"", 1), "the program")
    # 3.12 and 3.13 keep the names of code for ever: a live block each, for which the tracer has some bytes.
    own = grown_kb(traced.run(command, folder.fresh(), interpreter.environment(), timeout=3000))
    grew = grown_kb(done)
    checks.that(grew - own < GROWTH_KB + own // 4, "resident memory", "grew %d KB, %d KB untraced" % (grew, own))
    live = traced.statistics(options.report, done.snapshots()[0], "lineno", "--figure", "live")
    ever = traced.statistics(options.report, done.snapshots()[0], "lineno", "--figure", "ever")
    snapshot = live["snapshot"]
    checks.that(snapshot.get("aged_records", 0) > count, "records were aged out", snapshot.get("aged_records"))
    checks.equal(live["total"]["size"], snapshot["python_current"], "what is live is the sum of its rows")
    lists = {}
    for row in live["statistics"]:
        match = re.match(r"<template (\d+)>$", row["traceback"][0]["filename"] if row["traceback"] else "")
        if match and row["traceback"][0]["lineno"] == 2:
            lists[int(match.group(1))] = row["size"]
    wanted = set(range(0, count, step))
    checks.that(wanted <= set(lists), "kept lists have their lines", sorted(wanted - set(lists)))
    checks.that(all(lists.get(number, 0) >= LINE_BYTES for number in wanted), "and their sizes", lists)
    checks.that(len(lists) <= len(wanted) + 2, "nobody else has live lists", len(lists))
    made = sum(row["size"] for row in ever["statistics"] if row["traceback"] and row["traceback"][0]["filename"]
               .startswith(("<template", "(aged out)")))
    checks.that(made >= count * LINE_BYTES, "what was ever allocated is all there", made)
    checks.that(len(ever["statistics"]) < 30000, "the snapshot is small", len(ever["statistics"]))


def many(options, checks, folder, interpreter):
    check(options, checks, folder, interpreter, 1000000 if options.full else 40000, 1)


def deep(options, checks, folder, interpreter):
    check(options, checks, folder, interpreter, 40000, 25)


def reloaded(options, checks, folder, interpreter):
    count = 50000 if options.full else 2000
    done = traced.run([interpreter.path, "-c", RELOADED, str(count)], folder.fresh(), interpreter.environment(
        LD_PRELOAD=options.library, TRACEMALLOC_NFRAME="5"), timeout=3000)
    if checks.equal((done.code, done.stderr, len(done.snapshots())), (0, b"", 1), "reloaded: the program"):
        first, last = map(int, done.stdout.split())
        checks.that(last - first < TRACER_GROWTH, "reloaded: the tracer", (first, last))
        live = traced.statistics(options.report, done.snapshots()[0], "lineno")
        checks.equal(live["total"]["size"], live["snapshot"]["python_current"], "reloaded: the sum of the rows")
        rows = [row for row in live["statistics"] if row["traceback"][0]["filename"].endswith("part.py")]
        checks.that(0 < len(rows) <= 90, "reloaded: rows of the module as it is", len(rows))


def main():
    options = traced.arguments(__doc__).parse_args()
    chosen = traced.few(options, interpreters.select(options.pythons, python3_only=True))
    return traced.on_each(options, chosen, "executed", many, deep, reloaded)


if __name__ == "__main__":
    sys.exit(main())
