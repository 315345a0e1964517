#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each system call of the library made to fail in turn: the program does not notice, and somebody is told.

A library built for this (src/runtime/os/faults) fails the n-th call of a kind, for every kind and n = 1, 2, ... until
there is no such call.  Each time stdout and exit code are those of the run without the library, stderr has lines of
the library only, each file that is left can be read, and the fault is named: on stderr, in a snapshot or by the API.
"""
from __future__ import print_function

import multiprocessing.pool
import os
import shutil
import sys

import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "applications", "all_calls.py")
CALLS = ("mmap", "munmap", "mremap", "madvise", "mprotect", "open", "read", "write", "fallocate", "fsync", "stat",
         "fchmod", "rename", "link", "unlink", "getrlimit")
NOT_MADE = ("link", "mprotect")  # where a file system has no renameat2, and where recycling is found by rewriting
NOT_NAMED = ("fchmod",)  # a file system without modes refuses it: an answer
UMASKS = {"fchmod": 0o200}  # else all files are as they should be when they are made
OURS = b"libtracemalloc: "
SETTINGS = {
    "plain": dict(TRACEMALLOC_THRESHOLD="7MiB", TRACEMALLOC_OUTPUT="out.tms"),
    "native": dict(TRACEMALLOC_NATIVE="1", TRACEMALLOC_NFRAME="25", TRACEMALLOC_EXACT="1"),
    "blocks": dict(TRACEMALLOC_BLOCKS="1", TRACEMALLOC_NFRAME="5"),
    "memory": dict(TRACEMALLOC_STORE="none", TRACEMALLOC_NFRAME="5"),
}
CALLS_MAX = 3000
PROCESSES = 2  # the program and its child, which counts its own calls
QUICK_FIRST, QUICK_STEP = 8, 17  # not in full: each of the first calls of a kind, and some of the others


class Tester(object):
    def __init__(self, options, checks, folder, interpreter):
        self.options, self.checks, self.folder, self.interpreter = options, checks, folder, interpreter
        self.command = [interpreter.path, PROGRAM, "api.tms", os.path.join(folder.fresh("lines"), "lines")]
        self.pool = multiprocessing.pool.ThreadPool(options.jobs)
        self.plain = traced.run(self.command, folder.fresh(), interpreter.environment())

    def run(self, fault, settings):
        """Answers the run, and whether there was such a call."""
        folder = self.folder.fresh()
        sign = folder + ".sign"
        umask = UMASKS.get(call_of(fault))
        done = traced.run(self.command, folder, self.interpreter.environment(
            LD_PRELOAD=self.options.faulty, TM_FAULT=fault, TM_FAULT_FILE=sign, **settings),
            preexec_fn=umask and (lambda: os.umask(umask)))
        return done, os.path.exists(sign)

    def facts(self, path):
        """The facts of a file, or what tm-report has against it."""
        try:
            return traced.statistics(self.options.report, path, "filename", "--no-symbols")["snapshot"]
        except RuntimeError as error:
            return str(error)

    def look(self, fault, settings):
        """A run with all that is to be known of it; by any thread.  None: there was no such call."""
        done, was_due = self.run(fault, settings)
        if not was_due:
            return None
        # A store in parts, which can be removed no more.
        facts = [self.facts(path) for path in done.snapshots() + ([] if may_stay(fault) else done.stores())]
        names = done.names()
        if not os.environ.get("TM_KEEP"):
            shutil.rmtree(done.folder)
            os.unlink(done.folder + ".sign")
        return fault, done, names, facts

    def check(self, seen):
        fault, done, names, facts = seen
        call = call_of(fault)
        checks = self.checks
        checks.equal((done.code, done.stdout), (self.plain.code, self.plain.stdout), fault + ": output")
        lines = done.stderr.splitlines()
        ours = [line for line in lines if line.startswith(OURS)]
        checks.equal([line for line in lines if line not in ours], self.plain.stderr.splitlines(), fault + ": stderr")
        most = max([ours.count(line) for line in ours] or [0])
        checks.that(most <= PROCESSES and len(ours) <= 3, fault + ": each thing is said once", done.stderr)
        for problem in facts:
            checks.that(type(problem) is dict, fault + ": a file that is left can be read", problem)
        ends = tuple(name for name in names if not name.endswith((".tms", ".live", ".error")))
        most = PROCESSES if may_stay(fault) else 1 if call == "unlink" else 0
        checks.that(len(ends) <= most, fault + ": no half files", names)
        named = ours or "api.error" in names or any(type(fact) is dict and fact.get("failed_calls") for fact in facts)
        if call not in NOT_NAMED:
            checks.that(named, fault + ": the fault is named", names)

    def without_fault(self, settings):
        """There is something that can fail: with these settings it traces, and has nothing to say."""
        done, was_due = self.run("mmap:%d" % (10 * CALLS_MAX), settings)
        self.checks.equal((was_due, done.code, done.stderr), (False, self.plain.code, b""), "without a fault")
        self.checks.that(len(done.snapshots()) >= 3, "without a fault: it traces", done.names())

    def check_each(self, faults, settings):
        """Each of FAULTS, some at a time, as far as there are such calls.  How many there were."""
        made = 0
        for first in range(0, len(faults), self.options.jobs):
            chosen = faults[first:first + self.options.jobs]
            for seen in self.pool.imap(lambda fault: self.look(fault, settings), chosen):
                if seen is None:
                    return made
                self.check(seen)
                made += 1
        return made

    def each_in_turn(self, call, settings):
        numbers = list(range(1, CALLS_MAX))
        if not self.options.full:
            numbers = numbers[:QUICK_FIRST] + numbers[QUICK_FIRST - 1 + QUICK_STEP::QUICK_STEP]
        made = self.check_each(["%s:%d" % (call, number) for number in numbers], settings)
        self.checks.that(made < len(numbers), "the calls of %s come to an end" % call)
        return numbers[made - 1] if made else 0

    def all_of_a_kind(self, settings):
        """From the first, and from some in the middle: nothing of that kind works any more."""
        numbers = (1, 2, 3, 5, 9, 17, 33, 65) if self.options.full else (1, 5, 33)
        for call in CALLS:
            self.check_each(["%s:%d+" % (call, number) for number in numbers], settings)


def call_of(fault):
    return fault.split(":")[0]


def may_stay(fault):
    """What a process began to write, when it can never more be removed, or be known for its own."""
    return fault.endswith("+") and call_of(fault) in ("stat", "unlink")


def check_some(tester, faults, settings):
    for fault in faults:
        seen = tester.look(fault, settings)
        if tester.checks.that(seen is not None, fault + ": there is such a call"):
            print("  %s: %s; left %s" % (fault, seen[1].stderr, " ".join(seen[2])))
            tester.check(seen)


def check_all(tester, chosen):
    tester.without_fault(chosen)
    counts = []
    for call in CALLS:
        made = tester.each_in_turn(call, chosen)
        counts.append("%s %d" % (call, made))
        if call not in NOT_MADE and chosen is SETTINGS["plain"]:
            tester.checks.that(made > 0, "the program makes the library call " + call)
    print("  calls that failed in turn: " + ", ".join(counts))


def check_rewriting(options, checks, folder, interpreter):
    """2.7's functions are replaced wherever their address stands: in all places, or in none."""
    tester = Tester(options, checks, folder, interpreter)
    checks.begin("%s mprotect" % interpreter.label)
    made = tester.check_each(["mprotect:%d" % number for number in range(1, CALLS_MAX)], SETTINGS["plain"])
    tester.check_each(["mprotect:%d+" % number for number in range(1, made + 1)], SETTINGS["plain"])
    checks.that(made > 0, "the program makes the library call mprotect")
    checks.end()


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--faulty", required=True, help="the library that fails on order")
    parser.add_argument("--only", default="", help="these faults, e.g. mmap:3,open:2+")
    parser.add_argument("--settings", default="",
                        help="of %s (default: plain, all when full)" % ", ".join(sorted(SETTINGS)))
    parser.add_argument("--jobs", type=int, default=2, help="how many programs run at a time (default: 2)")
    options = parser.parse_args()
    options.report, options.faulty = os.path.abspath(options.report), os.path.abspath(options.faulty)
    checks = traced.Checks()
    settings = options.settings.split(",") if options.settings else sorted(SETTINGS) if options.full else ["plain"]
    chosen = interpreters.select(options.pythons)
    rewritten = [one for one in chosen if one.version < (3,) and not options.full and "plain" in settings]
    if not options.full:
        chosen = [one for one in chosen if not one.shared or one is chosen[-1]][-2:]
    with traced.Folder() as folder:
        for interpreter in chosen:
            tester = Tester(options, checks, folder, interpreter)
            for name in settings:
                checks.begin("%s %s" % (interpreter.label, name))
                if options.only:
                    check_some(tester, options.only.split(","), SETTINGS[name])
                else:
                    check_all(tester, SETTINGS[name])
                    tester.all_of_a_kind(SETTINGS[name])
                checks.end()
        for interpreter in rewritten:
            check_rewriting(options, checks, folder, interpreter)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
