#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""TRACEMALLOC_WATERMARK: frames are written to when it is asked for and can be had, and never otherwise; where it
cannot be had one line says why, and the program runs on.  quick.py compares what is recorded with it."""
from __future__ import print_function

import os
import sys

import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "applications", "own_frame.py")
RUNS = -1  # what an unmarked frame holds that runs
ELSEWHERE = "this Python is not one of 3.11 to 3.13 with a GIL"
DEBUG = "not with Python's debug hooks on memory"


def may_mark(interpreter):
    return (3, 11) <= interpreter.version[:2] <= (3, 13) and not interpreter.free_threaded


def run(options, folder, interpreter, arguments, **variables):
    """(what the program printed and how it ended, what its snapshot says of the watermark)"""
    place = folder.fresh()
    done = traced.run([interpreter.path] + arguments, place, interpreter.environment(
        LD_PRELOAD=options.library, TRACEMALLOC_OUTPUT=os.path.join(place, "one.tms"), **variables))
    snapshot = traced.statistics(options.report, os.path.join(place, "one.tms"), "filename")["snapshot"]
    return done, snapshot.get("watermark")


def numbers(done):
    return [int(word) for word in done.stdout.split()]


def line(why):
    return ("libtracemalloc: TRACEMALLOC_WATERMARK=1 is declined: %s; nothing is written into frames\n" % why).encode()


def check_written(options, checks, folder, interpreter):
    done, said = run(options, folder, interpreter, [PROGRAM], TRACEMALLOC_NFRAME="25", TRACEMALLOC_WATERMARK="1")
    checks.equal((done.code, done.stderr, said), (0, b"", "on"), "with it")
    marks = [number for number in numbers(done) if number < RUNS]
    checks.that(len(marks) > 100 and len(set(marks)) > 100, "the running frame is marked, each time by another number",
                numbers(done)[:20])
    checks.that(all(number <= RUNS for number in numbers(done)), "no depth is read from a running frame", numbers(done))
    for name, variables in (("nothing asked for", {}), ("switched off", {"TRACEMALLOC_WATERMARK": "0"})):
        done, said = run(options, folder, interpreter, [PROGRAM], TRACEMALLOC_NFRAME="25", **variables)
        checks.equal((done.code, done.stderr, said), (0, b"", None), name)
        checks.equal(set(numbers(done)), {RUNS}, name + ": nothing is written")


def check_declined(options, checks, folder, interpreter, why, arguments=(), **variables):
    values = dict(TRACEMALLOC_NFRAME="25", TRACEMALLOC_WATERMARK="1")
    values.update(variables)
    done, said = run(options, folder, interpreter, list(arguments) + ["-c", "print(7)"], **values)
    checks.equal((done.code, done.stdout, done.stderr), (0, b"7\n", line(why)), "declined: " + why)
    checks.equal(said, "declined: " + why, "the snapshot says so: " + why)


def check(options, checks, folder, interpreter):
    if not may_mark(interpreter):
        check_declined(options, checks, folder, interpreter, ELSEWHERE)
        return
    if interpreter.debug:
        check_declined(options, checks, folder, interpreter, DEBUG)
        return
    check_written(options, checks, folder, interpreter)
    check_declined(options, checks, folder, interpreter, DEBUG, PYTHONMALLOC="debug")
    check_declined(options, checks, folder, interpreter, DEBUG, ["-X", "dev"])
    check_declined(options, checks, folder, interpreter, "tracebacks have one frame", TRACEMALLOC_NFRAME="1")
    check_declined(options, checks, folder, interpreter, "not with TRACEMALLOC_SAMPLE", TRACEMALLOC_SAMPLE="64KiB")
    check_declined(options, checks, folder, interpreter, "not with TRACEMALLOC_SLOW=1", TRACEMALLOC_SLOW="1")


def main():
    options = traced.arguments(__doc__).parse_args()
    checks = traced.Checks()
    with traced.Folder() as folder:
        for interpreter in interpreters.select(options.pythons):
            checks.begin(interpreter.label)
            check(options, checks, folder, interpreter)
            checks.end()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
