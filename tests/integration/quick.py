#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The quick ways of an event tell what the long way tells: a program whose stacks change in every way, with
TRACEMALLOC_SLOW=1 and without, row by row."""
from __future__ import print_function

import os
import sys

import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "applications", "stack_changes.py")
OWN = ("stack_changes.py", "stack_changes3.py", "<made ")
MORE_RUNS = 6  # of each side, while something differs
FIGURES = ("live", "ever")


def is_own(filename):
    return filename.startswith(OWN[2]) or os.path.basename(filename) in OWN[:2]


def rows(options, path, figure):
    """{traceback: (size, count)} of what the program's own lines allocated."""
    found = {}
    for row in traced.statistics(options.report, path, "traceback", "--figure", figure)["statistics"]:
        key = tuple((frame["filename"], frame["lineno"], frame["function"]) for frame in row["traceback"])
        if key and is_own(key[-1][0]):
            size, count = found.get(key, (0, 0))
            found[key] = (size + row["size"], count + row["count"])
    return found


def snapshot(options, checks, folder, interpreter, limit, slow):
    path = os.path.join(folder.fresh("snapshots"), "changes.tms")
    done = traced.run([interpreter.path, PROGRAM, path], folder.fresh(), interpreter.environment(
        LD_PRELOAD=options.library, TRACEMALLOC_NFRAME=str(limit), TRACEMALLOC_SLOW=slow, PYTHONHASHSEED="0",
        PYTHONDONTWRITEBYTECODE="1"))
    return path if checks.equal((done.code, done.stderr), (0, b""), "code and stderr, SLOW=%s" % slow) else None


def differing(one, other):
    return set(key for key in set(one) | set(other) if one.get(key) != other.get(key))


def check(options, checks, folder, interpreter, limit):
    """A row differs when no quick run shows what a slow run shows: whether a list is new or recycled depends on when
    threads run, also from one slow run to the next."""
    paths = [snapshot(options, checks, folder, interpreter, limit, slow) for slow in "01"]
    if None in paths:
        return
    for figure in FIGURES:
        quick, slow = [[rows(options, path, figure)] for path in paths]
        wrong = differing(quick[0], slow[0])
        first = len(wrong)
        for _ in range(MORE_RUNS):
            if wrong:
                quick.append(rows(options, snapshot(options, checks, folder, interpreter, limit, "0"), figure))
                slow.append(rows(options, snapshot(options, checks, folder, interpreter, limit, "1"), figure))
                wrong = set(key for key in wrong
                            if not set(run.get(key) for run in quick) & set(run.get(key) for run in slow))
        wrong = sorted(wrong)
        checks.that(not wrong, figure, "%d of %d differ, for instance %r: quick %r, slow %r" % (
            len(wrong), len(slow[0]), [key[-4:] for key in wrong[:1]], [[run.get(key) for run in quick] for key in wrong[:1]],
            [[run.get(key) for run in slow] for key in wrong[:1]]))
        checks.that(first * 10 < len(slow[0]), "nearly all of it can be compared", (first, len(slow[0])))
        checks.that(len(slow[0]) > 100, "there is something to compare", len(slow[0]))


def main():
    options = traced.arguments(__doc__).parse_args()
    checks = traced.Checks()
    with traced.Folder() as folder:
        for interpreter in interpreters.select(options.pythons):
            for limit in (1, 2, 5, 25, 100) if options.full else (1, 25):
                checks.begin("%s quick and slow, limit %d" % (interpreter.label, limit))
                check(options, checks, folder, interpreter, limit)
                checks.end()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
