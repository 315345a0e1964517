#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small file system that is full, becomes full, or has room again: the program goes on, one line says what failed, and
what is left can be read.

Needs to mount a tmpfs: runs itself in a mount namespace of its own, and is skipped where that is not allowed.
"""
from __future__ import print_function

import os
import subprocess
import sys

import interpreters
import traced

OURS = b"libtracemalloc: "
FULL = b"no space left on device"
# Fills what is left of the disk, or takes that away, when it is told to; allocates from many lines.
PROGRAM = r"""
import os, sys
kept = []
def work(first, count):
    lines = ["kept.append(bytearray(%d))" % (number % 900 + 1) for number in range(first, first + count)]
    exec(compile("\n".join(lines), "part %d" % first, "exec"))
def fill():
    descriptor = os.open("filler", os.O_WRONLY | os.O_CREAT)
    size = 65536
    while size:
        try:
            if os.write(descriptor, b"x" * size) < size:
                size //= 2
        except OSError:
            size //= 2
    os.close(descriptor)
    print("filled")
def empty():
    os.unlink("filler")
@STEPS@
print(len(kept), sum(map(len, kept)))
sys.exit(5)
"""
INSIDE = "TM_TEST_INSIDE"


class Disk(object):
    def __init__(self, folder):
        self.path = folder

    def __enter__(self):
        subprocess.check_call(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", self.path])
        return self.path

    def __exit__(self, *_):
        subprocess.check_call(["umount", "-l", self.path])


class Tester(traced.Tester):
    def run(self, steps, check, **settings):
        """CHECK gets the run while its disk is there; stdout and exit code are those of a run without the library."""
        command = [self.interpreter.path, "-c", PROGRAM.replace("@STEPS@", steps)]
        with Disk(self.folder.fresh()) as folder:
            plain = traced.run(command, folder, self.interpreter.environment())
        with Disk(self.folder.fresh()) as folder:
            done = traced.run(command, folder, self.interpreter.environment(LD_PRELOAD=self.options.library, **settings))
            self.checks.equal((done.code, done.stdout), (plain.code, plain.stdout), "output")
            lines = done.stderr.splitlines()
            self.checks.that(all(line.startswith(OURS) for line in lines), "stderr", done.stderr)
            # A store that was kept says what was live when the process ended, which some interpreters clean up before.
            for path, figure in ([(path, "python_current") for path in done.snapshots()] +
                                 [(path, "python_peak") for path in done.stores()]):
                facts = self.facts(path)
                self.checks.that(facts[figure] > 100000, "what is left can be read", facts)
            self.checks.equal([name for name in done.names() if name.endswith(".part")], [], "no half files")
            check(done, lines)

    def facts(self, path):
        return traced.statistics(self.options.report, path, "filename")["snapshot"]

    def full_from_the_start(self):
        def check(done, lines):
            self.checks.that(len(lines) == 1 and FULL in lines[0] and b"kept in" not in lines[0], "one line", lines)
            self.checks.equal(done.names(), ["filler"], "nothing of ours is left")
        self.run("fill(); work(0, 3000)", check, TRACEMALLOC_STORE="none")

    def full_while_it_runs(self):
        """What the store needs it has already, unless it was about to grow: it is whole and kept, or not there."""
        def check(done, lines):
            self.checks.that(len(lines) == 1 and FULL in lines[0], "one line", lines)
            is_kept = b"the data is kept in " in lines[0]
            self.checks.equal(len(done.stores()), 1 if is_kept else 0, "the store")
        self.run("work(0, 30); fill(); work(30, 30)", check)

    def the_store_grows_no_more(self):
        """It is in memory from there on: nobody could read a part of it."""
        def check(done, lines):
            self.checks.that(len(lines) == 1 and FULL in lines[0] and b"kept in" not in lines[0], "one line", lines)
            self.checks.equal(done.names(), ["filler"], "no part of a store is left")
        self.run("work(0, 30); fill(); work(30, 20000)", check)

    def room_again(self):
        """The snapshots go on; in them is said what failed before."""
        def check(done, lines):
            self.checks.equal(len([line for line in lines if FULL in line]), 1, "each condition is said once")
            self.checks.that(1 <= len(done.snapshots()) <= 2, "the exit snapshot, and one that was under way", done.names())
            facts = self.facts(done.snapshots()[-1])
            self.checks.equal(facts["moment"], "exit", "the last one")
            self.checks.that(facts["failed_calls"] >= 3 and facts["failed_call"] == "fallocate", "named in it", facts)
        self.run("fill(); kept.extend([bytearray(9 << 20) for _ in range(4)]); del kept[:]; work(0, 30); empty()", check,
                 TRACEMALLOC_THRESHOLD="8MiB", TRACEMALLOC_STORE="none")


def main():
    options = traced.arguments(__doc__).parse_args()
    options.report = os.path.abspath(options.report)
    if INSIDE not in os.environ:
        inside = ["unshare", "-m", "--propagation", "private"]
        works = subprocess.call(inside + ["mount", "-t", "tmpfs", "tmpfs", "/mnt"], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL) == 0
        if not works:
            print("skip   a full disk: a tmpfs cannot be mounted")
            return 77
        os.environ[INSIDE] = "1"
        os.execvp(inside[0], inside + [sys.executable] + sys.argv)
    chosen = interpreters.select(options.pythons)
    return traced.on_groups(options, traced.few(options, chosen), Tester,
                            (Tester.full_from_the_start, Tester.full_while_it_runs, Tester.the_store_grows_no_more,
                             Tester.room_again))


if __name__ == "__main__":
    sys.exit(main())
