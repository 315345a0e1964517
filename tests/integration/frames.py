#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""File, line and function of every kind of frame, compared with what sys._getframe says at the same instant."""
from __future__ import print_function

import json
import os
import sys

import environments
import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "applications", "frame_kinds.py")


def rows_by_traceback(options, path, *more):
    rows = {}
    for row in traced.statistics(options.report, path, "traceback", *more)["statistics"]:
        key = tuple((frame["filename"], frame["lineno"], frame["function"]) for frame in row["traceback"])
        rows[key] = rows.get(key, 0) + row["size"]
    return rows


def sums_at_line(rows):
    sums = {}
    for chain, size in rows:
        line = tuple(chain[-1][:2])
        sums[line] = sums.get(line, 0) + size
    return sums


def check(options, checks, folder, interpreter, limit, python=None):
    output = folder.fresh("snapshots")
    done = traced.run([python or interpreter.path, PROGRAM, str(limit), output], folder.fresh(), interpreter.environment(
        LD_PRELOAD=options.library, TRACEMALLOC_NFRAME=str(limit)))
    if not checks.equal((done.code, done.stderr), (0, b""), "code and stderr"):
        return
    said = json.loads(done.stdout.decode())
    checks.equal(said["status"], 0, "snapshot")
    checks.equal(said["greenlet"] or not python, True, "greenlet is there")
    path = os.path.join(output, "kinds.tms")
    rows = rows_by_traceback(options, path)
    at_line, expected_at_line = sums_at_line(rows.items()), sums_at_line(said["expected"])
    for chain, size in said["expected"]:
        key = tuple(tuple(frame) for frame in chain)
        line = key[-1][:2]
        near = [other for other in rows if other[-1][:2] == line]
        # With one frame, functions of one line are one traceback, as in the stdlib: it has no names.
        as_line = limit == 1 and 0 < expected_at_line[line] <= at_line.get(line, 0)
        checks.that(rows.get(key, 0) >= size or as_line, "traceback", "%r with %d B is not there; near it: %r" % (
            key[-3:], size, [other[-3:] for other in near[:2]]))
    check_dead(checks, rows)
    unknown = rows_by_traceback(options, path, "--domain", "native")
    checks.that(unknown.get((("<unknown>", 0, ""),), 0) >= said["foreign"], "a thread that Python does not know",
                [row for row in unknown.items() if row[1] >= said["foreign"]])


def check_dead(checks, rows):
    """Each of the 3,000 codes left one text on its own line of its own file."""
    wanted = {}
    for number in range(3000):
        key = "<dead %d>" % (number % 700), number % 60 + 1
        wanted[key] = wanted.get(key, 0) + 1
    found = {}
    for key, size in rows.items():
        if key[-1][0].startswith("<dead "):
            found[key[-1][:2]] = found.get(key[-1][:2], 0) + size
    wrong = [key for key in set(found) | set(wanted)
             if not wanted.get(key, 0) * 1000 < found.get(key, 0) < wanted.get(key, 0) * 1000 + 500]
    checks.that(not wrong, "lines of dead codes", "%d wrong, for instance %r: %r" % (
        len(wrong), wrong[:1], [(found.get(key), wanted.get(key)) for key in wrong[:1]]))


def main():
    options = traced.arguments(__doc__).parse_args()
    checks = traced.Checks()
    chosen = interpreters.select(options.pythons)
    with traced.Folder() as folder:
        for interpreter in chosen:
            for limit in (1, 25, 200) if options.full else (25,):
                checks.begin("%s frames, limit %d" % (interpreter.label, limit))
                check(options, checks, folder, interpreter, limit)
                checks.end()
        newest = environments.newest(chosen)
        python, why = environments.prepare(newest, ("greenlet",)) if newest else (None, "no interpreter can make one")
        if python:
            checks.begin("%s frames with greenlet" % newest.label)
            check(options, checks, folder, newest, 25, python)
            checks.end()
        else:
            checks.skip("greenlet", why)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
