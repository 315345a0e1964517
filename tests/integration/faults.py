#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each system call of the library made to fail in turn: the program does not notice, and somebody is told.

A library built for this (src/runtime/os/faults) fails the n-th call of a kind, for every kind and n = 1, 2, ... until
there is no such call.  Each time stdout and exit code are those of the run without the library, stderr has lines of
the library only, each file that is left can be read, and the fault is named: on stderr, in a snapshot or by the API.
"""
from __future__ import print_function

import os
import subprocess
import sys

import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "applications", "all_calls.py")
CALLS = ("mmap", "munmap", "mremap", "madvise", "mprotect", "open", "read", "write", "fallocate", "fsync", "stat", "fchmod",
         "rename", "link", "unlink", "getrlimit")
NOT_MADE = ("link", "mprotect")  # where a file system has no renameat2, and where recycling is found by rewriting
NOT_NAMED = ("fchmod",)  # a file system without modes refuses it: an answer
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
        self.command = [interpreter.path, PROGRAM, "api.tms"]
        self.plain = traced.run(self.command, folder.fresh(), interpreter.environment())

    def run(self, fault, settings):
        """Answers the run, and whether there was such a call."""
        folder = self.folder.fresh()
        sign = folder + ".sign"
        done = traced.run(self.command, folder, self.interpreter.environment(
            LD_PRELOAD=self.options.faulty, TM_FAULT=fault, TM_FAULT_FILE=sign, **settings))
        return done, os.path.exists(sign)

    def facts(self, path):
        """The facts of a file, None where tm-report cannot read it."""
        try:
            return traced.statistics(self.options.report, path, "filename")["snapshot"]
        except RuntimeError as error:
            self.checks.that(False, "a file that is left can be read", str(error))
            return {}

    def check(self, fault, done, is_named=True):
        checks = self.checks
        call = fault.split(":")[0]
        checks.equal((done.code, done.stdout), (self.plain.code, self.plain.stdout), fault + ": output")
        lines = done.stderr.splitlines()
        ours = [line for line in lines if line.startswith(OURS)]
        checks.equal([line for line in lines if line not in ours], self.plain.stderr.splitlines(), fault + ": stderr")
        most = max([ours.count(line) for line in ours] or [0])
        checks.that(most <= PROCESSES and len(ours) <= 3, fault + ": each thing is said once", done.stderr)
        may_stay = fault.endswith("+") and call in ("stat", "unlink")  # a store in parts, which can be removed no more
        facts = [self.facts(path) for path in done.snapshots() + ([] if may_stay else done.stores())]
        ends = tuple(name for name in done.names() if not name.endswith((".tms", ".live", ".error")))
        checks.that(not ends or (call == "unlink" and len(ends) == 1), fault + ": no half files", done.names())
        named = ours or "api.error" in done.names() or any(fact.get("failed_calls") for fact in facts)
        if is_named and call not in NOT_NAMED:
            checks.that(named, fault + ": the fault is named", done.names())
        return facts

    def without_fault(self, settings):
        """There is something that can fail: with these settings it traces, and has nothing to say."""
        done, was_due = self.run("mmap:%d" % (10 * CALLS_MAX), settings)
        self.checks.equal((was_due, done.code, done.stderr), (False, self.plain.code, b""), "without a fault")
        self.checks.that(len(done.snapshots()) >= 3, "without a fault: it traces", done.names())

    def each_in_turn(self, call, settings):
        number = made = 0
        while number < CALLS_MAX:
            number += 1 if self.options.full or number < QUICK_FIRST else QUICK_STEP
            done, was_due = self.run("%s:%d" % (call, number), settings)
            if not was_due:
                break
            made = number
            self.check("%s:%d" % (call, number), done)
        return made

    def all_of_a_kind(self, settings):
        """From the first, and from some in the middle: nothing of that kind works any more."""
        for call in CALLS:
            for number in (1, 2, 3, 5, 9, 17, 33, 65) if self.options.full else (1, 5, 33):
                done, was_due = self.run("%s:%d+" % (call, number), settings)
                if not was_due:
                    break
                self.check("%s:%d+" % (call, number), done)


def check_some(tester, faults, settings):
    for fault in faults:
        done, was_due = tester.run(fault, settings)
        print("  %s: %s; left %s" % (fault, done.stderr if was_due else "no such call", " ".join(done.names())))
        tester.check(fault, done, is_named=was_due)


def check_all(tester, chosen):
    tester.without_fault(chosen)
    counts = []
    for call in CALLS:
        made = tester.each_in_turn(call, chosen)
        counts.append("%s %d" % (call, made))
        if call not in NOT_MADE and chosen is SETTINGS["plain"]:
            tester.checks.that(made > 0, "the program makes the library call " + call)
    print("  calls that failed in turn: " + ", ".join(counts))


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--faulty", required=True, help="the library that fails on order")
    parser.add_argument("--only", default="", help="these faults, e.g. mmap:3,open:2+")
    options = parser.parse_args()
    options.report, options.faulty = os.path.abspath(options.report), os.path.abspath(options.faulty)
    checks = traced.Checks()
    chosen = interpreters.select(options.pythons)
    if not options.full:
        chosen = [one for one in chosen if not one.shared or one is chosen[-1]][-2:]
    with traced.Folder() as folder:
        for interpreter in chosen:
            tester = Tester(options, checks, folder, interpreter)
            for name in sorted(SETTINGS) if options.full else ["plain"]:
                checks.begin("%s %s" % (interpreter.label, name))
                if options.only:
                    check_some(tester, options.only.split(","), SETTINGS[name])
                else:
                    check_all(tester, SETTINGS[name])
                    tester.all_of_a_kind(SETTINGS[name])
                checks.end()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
