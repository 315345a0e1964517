#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""TRACEMALLOC_MEMORY_LIMIT: the tracer stays below it, says what it does without, and the figures stay right."""
from __future__ import print_function

import os
import sys

import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "applications", "many_traces.py")


def run(options, folder, interpreter, **variables):
    done = traced.run([interpreter.path, PROGRAM], folder.fresh(), interpreter.environment(
        LD_PRELOAD=options.library, TRACEMALLOC_NFRAME="25", **variables))
    found = [traced.statistics(options.report, path, "lineno", "--domain", "all", "--figure", "live")
             for path in done.snapshots()]
    return done, found[0] if found else None


def check(options, checks, folder, interpreter):
    free, truth = run(options, folder, interpreter)
    checks.equal((free.code, free.stderr), (0, b""), "without a limit")
    for limit, lines in (("8MiB", 4), ("1GiB", 0)):
        done, found = run(options, folder, interpreter, TRACEMALLOC_MEMORY_LIMIT=limit)
        checks.equal((done.code, done.stdout, len(done.snapshots())), (0, free.stdout, 1), limit + ": the program")
        checks.equal(done.stderr.count(b"TRACEMALLOC_MEMORY_LIMIT"), lines, limit + ": lines")
        checks.equal(done.stderr.count(b"\n"), lines, limit + ": nothing else on stderr")
        snapshot = found["snapshot"]
        checks.equal(snapshot.get("memory_limit_step"), "one block in 512 KiB is recorded" if lines else None,
                     limit + ": the snapshot says so")
        if lines:
            # Where recycled objects are heard, blocks that are not recorded are looked for: pages of the table of blocks
            # that were only read count as used, though they are all one page of zeros.
            used = snapshot["tracer_bytes"] - (snapshot["tracer_block_table"] if snapshot["recycled"] != "none" else 0)
            checks.that(used <= 9 << 20, limit + ": what the tracer used", used)
            far = 2 * found["total"]["margin"]
            checks.that(abs(found["total"]["size"] - truth["total"]["size"]) <= far, limit + ": what is live",
                        (found["total"], truth["total"]))
            text = traced.report(options.report, done.snapshots()[0])
            checks.that("neared its memory limit" in text, limit + ": the report says so")


def main():
    options = traced.arguments(__doc__).parse_args()
    return traced.on_each(options, traced.few(options, interpreters.select(options.pythons)), "memory limit", check)


if __name__ == "__main__":
    sys.exit(main())
