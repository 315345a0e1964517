#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The peak of threads that allocate without the GIL is that of a replay of all events, to within what the store says.

Random C threads, Python threads that release the GIL and Python threads that hold it work at once under a library that
logs each event (src/runtime/track/log), until SIGKILL.  The heap's peak must be the log's to within the bound that the
store states; what the tracebacks had at the peak, by domain, must be what they had at one moment of the log at which
the heap was as high as that, to within as much.  Python's own peak must be exact where all of it is under the GIL, and
the heap's where one thread alone made and left it.
"""
from __future__ import print_function

import collections
import os
import random
import subprocess
import sys
import time

import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "applications", "random_native.py")
LIMITS = ("1", "3", "25", "200")
REACH = 16384  # bytes that a thread may have counted and not told
MIB = 1 << 20

Plan = collections.namedtuple("Plan", "most steps native calling python held")  # see random_native.py
PLANS = {"one thread": Plan(12 * MIB, 40000, 0, 0, 0, 0), "two threads": Plan(2 * MIB, 30000, 1, 0, 0, 0),
         "under the GIL": Plan(12 * MIB, 40000, 0, 0, 0, 1), "threads under the GIL": Plan(MIB, 12000, 0, 2, 2, 1),
         "threads of C": Plan(MIB, 25000, 4, 0, 0, 0), "threads of Python": Plan(MIB, 20000, 0, 3, 1, 0),
         "all kinds": Plan(MIB, 12000, 3, 2, 2, 0), "more threads than tallies": Plan(MIB // 4, 5000, 52, 3, 1, 0)}
QUICK = ("one thread", "under the GIL", "two threads", "threads of C", "all kinds")

Peak = collections.namedtuple("Peak", "found logged low high")
Moment = collections.namedtuple("Moment", "traces total bytes blocks slack_bytes slack_blocks")


class Replay(object):
    """What event_peaks says; `moments` has None where the log has none."""

    def __init__(self, tool, log, store):
        done = subprocess.run([tool, log, store], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            raise RuntimeError(done.stderr.decode().strip())
        self.peaks, self.moments = {}, {}
        for line in done.stdout.decode().splitlines():
            word, rest = line.split("\t")[0], line.split("\t")[1:]
            if word == "events":
                self.events, self.threads, self.bound = map(int, rest)
            elif word == "peak":
                self.peaks[rest[0]] = Peak(*map(int, rest[1:]))
            else:
                self.moments[rest[0]] = None if rest[2] == "none" else Moment(*map(int, rest[1:]))


class Tester(object):
    def __init__(self, options, checks, folder):
        self.options, self.checks, self.folder = options, checks, folder
        self.events, self.furthest = 0, 0.0

    def one(self, interpreter, seed, name, limit, raw):
        checks, plan = self.checks, PLANS[name]
        folder = self.folder.fresh()
        log = folder + ".log"
        done = traced.run([interpreter.path, PROGRAM, self.options.churn, str(seed)]
                          + [str(value) for value in plan[:-1]] + [raw, str(plan.held)], folder,
                          interpreter.environment(LD_PRELOAD=self.options.logging, TM_EVENT_LOG_FILE=log,
                                                  TRACEMALLOC_NFRAME=limit))
        what = "%s seed %d limit %s raw %s" % (name, seed, limit, raw)
        if checks.equal((done.code, done.stderr, len(done.stores())), (-9, b"", 1), what + ": the end"):
            try:
                replay = Replay(self.options.peaks, log, done.stores()[0])
            except RuntimeError as error:
                checks.that(False, what, str(error))
            else:
                self.compare(replay, plan, raw, what)
        os.unlink(log)

    def compare(self, replay, plan, raw, what):
        threads = 1 + plan.native + plan.calling + plan.python
        self.checks.that(REACH <= replay.bound <= min(threads, 48) * REACH, what + ": the bound", replay.bound)
        self.bound = replay.bound
        self.near(replay, "heap", replay.bound, what)
        self.near(replay, "python", 0, what)
        if threads == 1:
            self.exact(replay, "heap", what)
        if threads == 1 or raw == "0":
            self.exact(replay, "python", what)
        peak = replay.peaks["heap"]
        off = max(peak.low - peak.found, peak.found - peak.high)
        self.furthest = max(self.furthest, float(off) / replay.bound)
        self.events += replay.events

    def near(self, replay, which, bound, what):
        checks, peak, moment = self.checks, replay.peaks[which], replay.moments[which]
        what += ": " + which
        checks.that(peak.low - bound <= peak.found <= peak.high + bound, what + ": the peak", (peak, bound))
        if checks.that(moment is not None, what + ": no moment was as high", peak):
            checks.that(moment.bytes <= moment.slack_bytes + self.bound, what + ": the tracebacks", (peak, moment))
            checks.that(moment.traces > 50, what + ": enough tracebacks", moment)

    def exact(self, replay, which, what):
        peak, moment = replay.peaks[which], replay.moments[which]
        self.checks.that(peak.found == peak.logged and moment is not None and moment.total == peak.found
                         and moment.bytes == moment.blocks == 0, what + ": exactly " + which, (peak, moment))


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--logging", required=True, type=os.path.abspath, help="the library that logs events")
    parser.add_argument("--peaks", required=True, type=os.path.abspath, help="event_peaks")
    parser.add_argument("--churn", required=True, type=os.path.abspath, help="the library of without_gil/churn.c")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--runs", type=int, default=0, help="of each plan and interpreter (default: 1, 6 when full)")
    parser.add_argument("--plans", default="", help="names of plans, comma separated")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    checks = traced.Checks()
    plans = [name for name in options.plans.split(",") if name] or (sorted(PLANS) if options.full else QUICK)
    with traced.Folder() as folder:
        tester = Tester(options, checks, folder)
        for interpreter in traced.few(options, interpreters.select(options.pythons)):
            checks.begin("%s, seed %d" % (interpreter.label, options.seed))
            for _ in range(options.runs or (6 if options.full else 1)):
                for name in plans:
                    tester.one(interpreter, rng.randrange(1 << 30), name, rng.choice(LIMITS), rng.choice("01"))
            checks.end()
        print("  %d events; at most %.0f %% of the bound were used" % (tester.events, 100 * tester.furthest))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
