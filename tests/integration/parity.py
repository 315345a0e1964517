#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares libtracemalloc's figures with those of the interpreter's own tracemalloc, traceback by traceback.

    python3 tests/integration/parity.py --library LIB --report TM_REPORT

Two runs of the same program (programs/*.py): under `-X tracemalloc=N`, and preloaded with TRACEMALLOC_START=python and
TRACEMALLOC_NFRAME=N.  Both measure at the same point (measuring/measuring.py).  Compared is every traceback that
touches the program's own files, without those that touch the measuring file: size and count must be equal.  Tracebacks
elsewhere are counted.  The stdlib's tracer keeps the name of every file that it has seen alive; names that nothing else
keeps are not counted as the program's (measuring.held_names; Comparison.leave_out_kept where no trace has the name).

Both have the addresses that the kernel gives without chance: a class is an integer of its address among the subclasses of
its base, which takes four bytes more above 1 GiB, and where the heap of a build at fixed addresses begins is chance.
Where they differ the stdlib is run up to sixteen times more, with addresses by chance: what differs between its own runs is
listed and left out.  (Since 3.10 addresses decide which names the cache of method lookups keeps alive for a while: a name
that it kept until the next module was loaded is not made there again.)  So is, and listed too, what a second run of the
library does not show again, and what the stdlib's tracer keeps alive.

    --mode process   one process: the stdlib's tracer is started on top of libtracemalloc, both measured at once
    --mode start     with the default start (from the first allocation of the process): differences are shown, no failure
    --self-test      proves the comparison without the library: stdlib against stdlib, and a planted difference
"""
from __future__ import print_function

import ctypes
import glob
import json
import os
import re
import sys
import time

import interpreters
import traced

PROGRAMS = os.path.join(traced.HERE, "programs")
MEASURING = os.path.join(traced.HERE, "measuring")
QUICK_PROGRAMS = ("classes", "recycled", "coroutines", "exceptions", "executed", "lifetimes", "threads", "application")
FULL_LIMITS = (1, 5, 25, 200)
QUICK_LIMITS = (1, 25)
MORE_RUNS = 16  # of the stdlib, where it and ours differ
LEFT_OUT = ("varies: the stdlib differs from itself", "passed: not so in a second run of the library",
            "kept: by the stdlib's tracer, also beside the library",
            "moved: the table of a set of weak references grew at another addition")
SMALLEST_NAME = 50  # bytes of a text of one letter
LOADER = "<frozen importlib._bootstrap_external>"  # whose newest frame reads a module's code, and makes its names
LARGER_INTEGER = 4  # bytes that an integer has more when an address that it holds lies above 1 GiB
SET_TABLE = 256  # bytes: the smallest table of a set outside of it, and a part of each larger one
SHOWN = 8  # differences printed per comparison
LIBC = ctypes.CDLL(None)


def stdlib_traces(path, with_held_names=False):
    """The stdlib's traces, without the file names that nothing but the stdlib's tracer keeps alive.  In one process
    they live for both tracers."""
    with open(path) as stream:
        result = json.load(stream)
    traces = {key_of(frames): (size, count) for frames, size, count in result["traces"]}
    for frames, size, count in [] if with_held_names else result["held"]:
        key = key_of(frames)
        traces[key] = (traces[key][0] - size, traces[key][1] - count)
        if traces[key] == (0, 0):
            del traces[key]
    return traces


def key_of(frames):
    return tuple((name, line) for name, line in frames)


def library_traces(tool, path):
    """tm-report's answer in the stdlib's terms: functions do not tell tracebacks apart there."""
    sums = {}
    for row in traced.statistics(tool, path)["statistics"]:
        key = tuple((frame["filename"], frame["lineno"]) for frame in row["traceback"])
        size, count = sums.get(key, (0, 0))
        sums[key] = (size + row["size"], count + row["count"])
    return sums


def is_own(frames, program):
    """The program's file, or code that the program made at run time."""
    return any(name == program or (name.startswith("<") and not name.startswith(("<frozen", "<unknown>")))
               for name, _ in frames)


def is_measuring(frames):
    return any(name.startswith(MEASURING) for name, _ in frames)


def differences(left, right):
    """{traceback: (left's (size, count), right's)} of those that differ."""
    nothing = (0, 0)
    return {key: (left.get(key, nothing), right.get(key, nothing)) for key in set(left) | set(right)
            if left.get(key, nothing) != right.get(key, nothing)}


def is_set_growth(key, left, right):
    """A table, or none, or one of another size, at an addition to a set of weak references."""
    return (os.path.basename(key[-1][0]) == "_weakrefset.py" and abs(left[1] - right[1]) <= 1 and
            (left[0] - right[0]) % SET_TABLE == 0)


def is_by_address(key, left, right):
    """What an address can change: the length of integers that hold it, and the addition at which a set grows."""
    size = left[0] - right[0]
    is_integer = left[1] == right[1] and size % LARGER_INTEGER == 0 and abs(size) <= LARGER_INTEGER * left[1]
    return is_integer or is_set_growth(key, left, right)


def moved_names(rows):
    """Tracebacks of `rows` (see `differences`) between which one name moved: the code that two modules have read uses it, and
    it was made anew for the second one in one of both runs only.  As many have more as have less."""
    def of_one_name(key, left, right):
        size, count = left[0] - right[0], left[1] - right[1]
        return key[-1][0] == LOADER and abs(count) == 1 and size * count >= SMALLEST_NAME and (size, count)

    moves = {key: of_one_name(key, *value) for key, value in rows.items()}
    found = list(moves.values())
    return {key for key, move in moves.items() if move and found.count(move) == found.count((-move[0], -move[1]))}


class Comparison(object):
    """One program, interpreter and limit."""

    def __init__(self, program, limit):
        self.program, self.limit = program, limit
        self.own = self.elsewhere = 0        # tracebacks compared
        self.differing = {}                  # own tracebacks that differ
        self.differing_elsewhere = 0
        self.varying = {}                    # own tracebacks left out: the stdlib differs from itself
        self.passing = {}                    # own tracebacks left out: not seen again with a second run of the library
        self.kept = {}                       # own tracebacks left out: see leave_out_kept
        self.moved = {}                      # own tracebacks left out: see leave_out_moved
        self.traces = {}                     # the other side's
        self.trouble = ""

    def compare(self, stdlib, other):
        path = self.program
        self.traces = other
        stdlib, other = ({key: value for key, value in side.items() if not is_measuring(key)} for side in (stdlib, other))
        self.own = sum(1 for key in stdlib if is_own(key, path))
        self.elsewhere = len(stdlib) - self.own
        found = differences(stdlib, other)
        self.differing = {key: value for key, value in found.items() if is_own(key, path)}
        self.differing_elsewhere = len(found) - len(self.differing)

    def leave_out_variation(self, *runs):
        """Moves to `varying` what differs between the stdlib's own runs."""
        for first, second in zip(runs, runs[1:]):
            for key, value in differences(first, second).items():
                if key in self.differing:
                    self.varying[key] = value
                    del self.differing[key]

    def leave_out_passing(self, second):
        """What depends on addresses in one run of hundreds, and has the form that addresses give it."""
        names = moved_names(self.differing)
        for key, (left, right) in list(self.differing.items()):
            if key not in second.differing and (key in names or is_by_address(key, left, right)):
                self.passing[key] = self.differing.pop(key)

    def leave_out_moved(self):
        """Which addition makes the table of a WeakSet grow depends on the low bits of addresses, and so on each block that
        lies elsewhere.  Left out where each table that is missing at one addition is too much at another."""
        moved = {key: value for key, value in self.differing.items() if is_set_growth(key, *value)}
        found = sorted((left[0] - right[0], left[1] - right[1]) for left, right in moved.values())
        if found == sorted((-size, -count) for size, count in found):
            for key in moved:
                self.moved[key] = self.differing.pop(key)

    def may_be_kept(self):
        return [key for key, (left, right) in self.differing.items()
                if left[1] > right[1] and left[0] - right[0] >= SMALLEST_NAME]

    def leave_out_kept(self, beside):
        """Where the stdlib has more, and both agree on just that in one process: there the library sees the blocks too,
        so the stdlib's tracer keeps them alive.  `beside` is that comparison, with its traces."""
        for key in self.may_be_kept():
            if beside.traces.get(key) == self.differing[key][0]:
                self.kept[key] = self.differing.pop(key)

    def left_out(self):
        return self.varying, self.passing, self.kept, self.moved

    def show(self, what, rows):
        for key, (left, right) in sorted(rows.items(), key=lambda row: -abs(row[1][0][0] - row[1][1][0]))[:SHOWN]:
            frames = " < ".join("%s:%d" % (os.path.basename(name), line) for name, line in reversed(key[-6:]))
            print("    %s: stdlib %d B in %d, here %d B in %d at %s" % ((what,) + left + right + (frames,)))
        if len(rows) > SHOWN:
            print("    ... and %d more" % (len(rows) - SHOWN))


def fix_addresses():
    """In the child, before the program.  Where it is refused addresses stay as they are."""
    NO_CHANCE = 0x0040000  # ADDR_NO_RANDOMIZE
    LIBC.personality(NO_CHANCE)


class Driver(object):
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.number = 0

    def environment(self, interpreter, limit, measure, result, **more):
        """The names of the variables, and their number, are the same in all modes."""
        values = dict(TM_MEASURE=measure, TM_RESULT=result, TM_LIMIT=str(limit), TM_PLANT="0", PYTHONPATH=MEASURING,
                      LD_PRELOAD="", TRACEMALLOC_NFRAME=str(limit), TRACEMALLOC_START="python", TRACEMALLOC_EXACT="0",
                      TRACEMALLOC_WATERMARK=str(int(self.options.watermark)),
                      TRACEMALLOC_SLOW=str(int(self.options.slow)),
                      TRACEMALLOC_OUTPUT=os.path.join(self.folder, "exit.%p.tms"))
        values.update(more)
        return interpreter.environment(**values)

    def run(self, interpreter, program, limit, measure, xoption, by_chance=False, **more):
        self.number += 1
        result = os.path.join(self.folder, "result-%06d" % self.number)
        # -S: what a machine's .pth files import is no part of the comparison.
        done = traced.run([interpreter.path, "-S", "-X", xoption, program], self.folder,
                          self.environment(interpreter, limit, measure, result, **more),
                          preexec_fn=None if by_chance else fix_addresses)
        if done.code or not os.path.exists(result if measure != "both" else result + ".tms"):
            raise RuntimeError("%s %s, measured by %s: exit code %d: %s" % (
                interpreter.label, os.path.basename(program), measure, done.code,
                traced.shorten(done.stderr.decode(errors="replace").strip(), 400)))
        return result, done

    def stdlib(self, interpreter, program, limit, **more):
        result, done = self.run(interpreter, program, limit, "stdlib", "tracemalloc=%d" % limit, **more)
        return stdlib_traces(result), done

    def library(self, interpreter, program, limit, **more):
        # An option of the same length that means nothing: sys._xoptions is alike in both runs.
        result, done = self.run(interpreter, program, limit, "library", "tracemallox=%d" % limit,
                                LD_PRELOAD=self.options.library, **more)
        traces = library_traces(self.options.report, result)
        os.unlink(result)
        return traces, done

    def two_runs(self, interpreter, program, limit, exact, start="python"):
        comparison = Comparison(program, limit)
        expected, plain = self.stdlib(interpreter, program, limit)
        found, done = self.library(interpreter, program, limit, TRACEMALLOC_EXACT=exact, TRACEMALLOC_START=start)
        comparison.compare(expected, found)
        if (plain.stdout, plain.stderr) != (done.stdout, done.stderr):
            comparison.trouble = "other output: " + traced.shorten(done.stderr.decode(errors="replace"))
        if start != "python" or not self.may_vary(interpreter, exact):
            return comparison
        comparison.leave_out_moved()
        if comparison.differing:
            # Before `kept`, which would part a name that moved from where it moved to.
            second = Comparison(program, limit)
            second.compare(expected, self.library(interpreter, program, limit, by_chance=True, TRACEMALLOC_EXACT=exact)[0])
            comparison.leave_out_passing(second)
        if comparison.may_be_kept():
            comparison.leave_out_kept(self.one_process(interpreter, program, limit, exact))
        again = 0
        while comparison.differing and again < MORE_RUNS:
            comparison.leave_out_variation(expected, self.stdlib(interpreter, program, limit, by_chance=True)[0])
            again += 1
        return comparison

    @staticmethod
    def may_vary(interpreter, exact):
        return exact == "1" or not interpreter.needs_exact  # otherwise differences are expected, and only counted

    def one_process(self, interpreter, program, limit, exact):
        comparison = Comparison(program, limit)
        result, _ = self.run(interpreter, program, limit, "both", "tracemallox=%d" % limit,
                             LD_PRELOAD=self.options.library, TRACEMALLOC_EXACT=exact, TRACEMALLOC_START="now")
        comparison.compare(stdlib_traces(result, True), library_traces(self.options.report, result + ".tms"))
        return comparison

    def against_itself(self, interpreter, program, limit, plant):
        comparison = Comparison(program, limit)
        first, _ = self.stdlib(interpreter, program, limit)
        second, _ = self.stdlib(interpreter, program, limit, TM_PLANT=plant)
        comparison.compare(first, second)
        if comparison.differing:
            comparison.leave_out_variation(first, *[self.stdlib(interpreter, program, limit, by_chance=True)[0]
                                                    for _ in range(2)])
        return comparison


def needs(program):
    with open(program) as stream:
        found = re.search(r"^# needs (\d+)\.(\d+)", stream.read(200), re.M)
    return tuple(map(int, found.groups())) if found else (3, 6)


def choose_programs(options):
    names = [name for name in options.programs.split(",") if name]
    if not names and not options.full:
        names = QUICK_PROGRAMS
    everything = sorted(glob.glob(os.path.join(PROGRAMS, "*.py")))
    for path in names:
        if os.sep in path:
            everything.append(os.path.abspath(path))  # anybody's program that uses the measuring file
    return [path for path in everything
            if not names or os.path.basename(path)[:-3] in names or path in map(os.path.abspath, names)]


class Table(object):
    """Sums per interpreter and limit, printed as one line each."""
    HEAD = "%-20s %5s %5s %8s %11s %9s %7s %11s %9s %6s" % (
        "interpreter", "limit", "exact", "programs", "tracebacks", "differing", "leftout", "elsewhere", "differing", "sec")

    def __init__(self):
        self.failures = 0
        print(self.HEAD)

    def line(self, interpreter, limit, exact, comparisons, seconds, fails):
        def total(value):
            return sum(value(one) for one in comparisons)
        print("%-20s %5d %5s %8d %11d %9d %7d %11d %9d %6.1f" % (
            interpreter.label, limit, exact, len(comparisons), total(lambda one: one.own),
            total(lambda one: len(one.differing)), total(lambda one: sum(map(len, one.left_out()))),
            total(lambda one: one.elsewhere), total(lambda one: one.differing_elsewhere), seconds))
        for one in comparisons:
            name = os.path.basename(one.program)
            if one.differing or one.trouble or not one.own:
                print("  %s %s: %d of %d tracebacks differ %s" % (
                    "FAILED" if fails else "note", name, len(one.differing), one.own, one.trouble))
                self.failures += fails
            one.show("differs", one.differing if fails else {})
            for what, rows in zip(LEFT_OUT, one.left_out()):
                if rows:
                    print("  %s %s" % (name, what))
                    one.show(what.split(":")[0], rows)
        sys.stdout.flush()


def measure(driver, table, interpreter, limit, programs, options):
    """All programs on one interpreter with one limit."""
    exact = {"auto": "1" if interpreter.needs_exact else "0"}.get(options.exact, options.exact)
    must_agree = options.mode != "start" and (exact == "1" or not interpreter.needs_exact)
    usable = [program for program in programs if needs(program) <= interpreter.version]
    began = time.time()
    comparisons = []
    for program in usable:
        try:
            if options.self_test:
                comparisons.append(driver.against_itself(interpreter, program, limit, "0"))
            elif options.mode == "process":
                comparisons.append(driver.one_process(interpreter, program, limit, exact))
            else:
                comparisons.append(driver.two_runs(interpreter, program, limit, exact,
                                                   "now" if options.mode == "start" else "python"))
        except (RuntimeError, ValueError, KeyError, OSError) as error:
            print("  FAILED %s: %s" % (os.path.basename(program), error))
            table.failures += 1
    table.line(interpreter, limit, exact, comparisons, time.time() - began, must_agree)


def planted_is_found(driver, interpreter, programs, limit):
    """A bytearray more in the second run must show where the program calls the measuring point.

    The measuring file's own lines are left out, so the plant is looked for with them.
    """
    first, _ = driver.stdlib(interpreter, programs[0], limit)
    second, _ = driver.stdlib(interpreter, programs[0], limit, TM_PLANT="1")
    sizes = [right[0] - left[0] for left, right in differences(first, second).values()]
    found = any(size >= 4321 for size in sizes)
    print("%-20s planted difference %s" % (interpreter.label, "found" if found else "NOT FOUND"))
    return found


def rules_hold():
    """What is left out is what the rules say, and no more: each case is one difference, or two that may belong together."""
    def left_after(rule, *values):
        one = Comparison("program", 1)
        one.differing = {(("caller", 1), (name, index)): value for index, (name, value) in enumerate(values)}
        rule(one)
        return len(one.differing)

    def passing(one):
        one.leave_out_passing(Comparison("program", 1))

    def lasting(one):
        second = Comparison("program", 1)
        second.differing = dict(one.differing)
        one.leave_out_passing(second)
    more, less = ((416, 3), (160, 2)), ((160, 2), (416, 3))
    cases = (
        (Comparison.leave_out_moved, 0, ("_weakrefset.py", more), ("_weakrefset.py", less)),
        (Comparison.leave_out_moved, 1, ("_weakrefset.py", more)),
        (Comparison.leave_out_moved, 2, ("_weakrefset.py", more), ("program", less)),
        (Comparison.leave_out_moved, 2, ("_weakrefset.py", ((170, 3), (100, 2))), ("_weakrefset.py", ((100, 2), (170, 3)))),
        (Comparison.leave_out_moved, 2, ("_weakrefset.py", ((512, 2), (0, 0))), ("_weakrefset.py", ((0, 0), (512, 2)))),
        (passing, 0, ("program", ((112, 4), (116, 4)))),
        (passing, 0, ("_weakrefset.py", more)),
        (passing, 1, ("program", ((112, 4), (132, 4)))),
        (passing, 1, ("program", ((112, 4), (84, 3)))),
        (passing, 1, ("program", ((112, 4), (104, 3)))),
        (passing, 1, ("program", ((112, 4), (114, 4)))),
        (passing, 1, ("program", more)),
        (passing, 0, (LOADER, ((154, 3), (100, 2))), (LOADER, ((300, 6), (354, 7)))),
        (passing, 1, (LOADER, ((154, 3), (100, 2)))),
        (passing, 2, (LOADER, ((154, 3), (100, 2))), ("program", ((300, 6), (354, 7)))),
        (passing, 2, (LOADER, ((154, 3), (100, 2))), (LOADER, ((300, 6), (355, 7)))),
        (passing, 2, (LOADER, ((208, 4), (100, 2))), (LOADER, ((300, 6), (408, 8)))),
        (passing, 2, (LOADER, ((149, 3), (100, 2))), (LOADER, ((300, 6), (349, 7)))),
        (passing, 2, (LOADER, ((154, 2), (100, 3))), (LOADER, ((300, 7), (354, 6)))),
        (passing, 3, (LOADER, ((154, 3), (100, 2))), (LOADER, ((300, 6), (354, 7))), (LOADER, ((0, 0), (54, 1)))),
        (lasting, 2, (LOADER, ((154, 3), (100, 2))), (LOADER, ((300, 6), (354, 7)))),
        (lasting, 1, ("program", ((112, 4), (116, 4)))),
    )
    wrong = [case for case in cases if left_after(case[0], *case[2:]) != case[1]]
    for case in wrong:
        print("FAILED: %s leaves other than %d of %r" % (case[0].__name__, case[1], case[2:]))
    return not wrong


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--programs", default="", help="names or paths, comma separated (default: the quick selection)")
    parser.add_argument("--limits", default="", help="traceback limits, comma separated")
    parser.add_argument("--exact", choices=("auto", "0", "1"), default="auto",
                        help="TRACEMALLOC_EXACT; auto: where the build needs it.  0 where it is needed: shown, no failure")
    parser.add_argument("--mode", choices=("runs", "process", "start"), default="runs")
    parser.add_argument("--watermark", action="store_true", help="with TRACEMALLOC_WATERMARK=1")
    parser.add_argument("--slow", action="store_true", help="with TRACEMALLOC_SLOW=1: every event the long way")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if not options.self_test and not (options.library and options.report):
        parser.error("--library and --report are needed")
    options.library = options.library and os.path.abspath(options.library)
    limits = [int(text) for text in options.limits.split(",") if text] or (FULL_LIMITS if options.full else QUICK_LIMITS)
    chosen = interpreters.select(options.pythons, python3_only=True)
    programs = choose_programs(options)
    if not chosen or not programs:
        sys.exit("no interpreter or no program")
    table = Table()
    if options.self_test and not rules_hold():
        table.failures += 1
    with traced.Folder() as folder:
        driver = Driver(options, folder.path)
        for interpreter in chosen:
            for limit in limits:
                measure(driver, table, interpreter, limit, programs, options)
            if options.self_test and not planted_is_found(driver, interpreter, programs, limits[0]):
                table.failures += 1
    print("%d failures" % table.failures)
    return 1 if table.failures else 0


if __name__ == "__main__":
    sys.exit(main())
