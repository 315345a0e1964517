#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What stood at the highest traced memory, by traceback, is what a replay of all events says.

Random programs run under a library that logs each event (src/runtime/track/log) and end by SIGKILL.  The peak and the
figures at the peak of each traceback and domain, which the product keeps in a few words per traceback, must be those
that follow from the log.
"""
from __future__ import print_function

import os
import random
import sys
import time

import crash
import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "applications", "random_peak.py")
LIMITS = ("1", "3", "25", "200")


class Tester(object):
    def __init__(self, options, checks, folder):
        self.options, self.checks, self.folder = options, checks, folder
        self.events = self.tracebacks = 0

    def rows(self, store):
        found = {}
        for domain in crash.PYTHON:
            answer = traced.statistics(self.options.report, store, "traceback", "--figure", "peak", "--domain", domain)
            for row in answer["statistics"]:
                frames = ";".join("%s:%d" % (frame["filename"], frame["lineno"]) for frame in row["traceback"])
                if row["size"]:
                    found[domain, frames] = row["size"], row["count"]
        return found, answer["snapshot"]

    def one(self, interpreter, seed, settings, threads):
        checks = self.checks
        folder = self.folder.fresh()
        log = folder + ".log"
        done = traced.run([interpreter.path, PROGRAM, str(seed), str(threads)], folder, interpreter.environment(
            LD_PRELOAD=self.options.logging, TM_EVENT_LOG_FILE=log, **settings))
        what = "%s seed %d %r %d threads" % (interpreter.label, seed, sorted(settings.items()), threads)
        if not checks.equal((done.code, done.stderr, len(done.stores())), (-9, b"", 1), what + ": the end"):
            return
        store = done.stores()[0]
        state = crash.replay(self.options.replay, log, store)[-1]
        os.unlink(log)
        expected = {}
        for domain, frames, size, count in state.held:
            before = expected.get((domain, frames), (0, 0))
            expected[domain, frames] = before[0] + size, before[1] + count
        expected = {key: value for key, value in expected.items() if value[0]}
        found, facts = self.rows(store)
        checks.equal(facts["python_peak"], state.peak, what + ": the peak")
        wrong = [(key, found.get(key), expected.get(key)) for key in sorted(set(found) | set(expected))
                 if found.get(key) != expected.get(key)]
        checks.equal(wrong[:3], [], what + ": %d of %d tracebacks at the peak (found, replayed)" % (len(wrong), len(expected)))
        checks.that(sum(size for size, _ in expected.values()) == state.peak and len(expected) > 30, what + ": the replay")
        self.events += state.count
        self.tracebacks += len(expected)


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--logging", required=True, type=os.path.abspath, help="the library that logs events")
    parser.add_argument("--replay", required=True, type=os.path.abspath, help="event_replay")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--runs", type=int, default=0, help="of each interpreter (default: 3, 12 when full)")
    options = parser.parse_args()
    options.report = os.path.abspath(options.report)
    rng = random.Random(options.seed)
    checks = traced.Checks()
    with traced.Folder() as folder:
        tester = Tester(options, checks, folder)
        for interpreter in interpreters.select(options.pythons):
            checks.begin("%s, seed %d" % (interpreter.label, options.seed))
            for _ in range(options.runs or (12 if options.full else 3)):
                settings = {"TRACEMALLOC_NFRAME": rng.choice(LIMITS), "TRACEMALLOC_EXACT": rng.choice("01")}
                tester.one(interpreter, rng.randrange(1 << 30), settings, rng.choice((0, 2)))
            checks.end()
        print("  %d events, %d tracebacks at a peak compared" % (tester.events, tester.tracebacks))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
