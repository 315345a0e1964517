#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Code that is made anew for ever: the tracer does not grow, sums hold, and what is live keeps its own lines.

With --full a million functions, else 40,000."""
from __future__ import print_function

import os
import re
import sys

import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "applications", "templates.py")
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


def main():
    options = traced.arguments(__doc__).parse_args()
    chosen = traced.few(options, interpreters.select(options.pythons, python3_only=True))
    return traced.on_each(options, chosen, "executed", many, deep)


if __name__ == "__main__":
    sys.exit(main())
