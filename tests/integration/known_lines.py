#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Exact sizes and counts on known lines, without a stdlib to compare with: for 2.7, and as a cross-check for all.

What an object occupies is said by sys.getsizeof in the interpreter itself.
"""
from __future__ import print_function

import json
import os
import sys

import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "applications", "known_lines.py")


def check(options, checks, folder, interpreter):
    output = folder.fresh("snapshots")
    done = traced.run([interpreter.path, PROGRAM, output], folder.fresh(), interpreter.environment(
        LD_PRELOAD=options.library, TRACEMALLOC_EXACT="1" if interpreter.needs_exact else "0"))
    if not checks.equal((done.code, done.stderr), (0, b""), "code and stderr"):
        return
    said = json.loads(done.stdout.decode())
    rows = {}
    for row in traced.statistics(options.report, os.path.join(output, "lines.tms"), "lineno")["statistics"]:
        frame = row["traceback"][-1]
        if frame["filename"] == PROGRAM:
            rows[frame["lineno"]] = (row["size"], row["count"])
    for line, count, size in said["expected"]:
        found = rows.get(line, (0, 0))
        # The line also holds what belongs to no object: at most a few small blocks.
        checks.that(size <= found[0] <= size + 600 and count <= found[1] <= count + 4, "line %d" % line,
                    "%d B in %d blocks, expected %d B in %d" % (found + (size, count)))


def main():
    options = traced.arguments(__doc__).parse_args()
    return traced.on_each(options, interpreters.select(options.pythons), "lines", check)


if __name__ == "__main__":
    sys.exit(main())
