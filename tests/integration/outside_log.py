#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What tm-snap sees of a program at work agrees with a log of the program's events.

Taken at full speed of four threads: each snapshot loads, its totals are totals that there were meanwhile, and the sum
over its records is within the skew that it states.  Taken while the program is stopped in the middle: its totals and
records are exactly those of a replay of the log, to within the one event that each thread was in.
"""
from __future__ import print_function

import os
import signal
import struct
import sys
import time

import crash
import interpreters
import outside
import traced

EVENT_MAX = 9000  # bytes of one allocation of the program, at most
THREADS = 4
PER_PROCESS = 20  # snapshots, of each kind


def await_stop(pid):
    tasks = "/proc/%d/task" % pid
    for _ in range(1000):
        states = []
        for task in os.listdir(tasks):
            with open(os.path.join(tasks, task, "stat")) as stream:
                states.append(stream.read().rsplit(")", 1)[1].split()[0])
        if set(states) == {"T"}:
            return
        time.sleep(0.005)
    raise RuntimeError("the program does not stop: %r" % states)


class Tester(outside.Tester):
    def events(self, log):
        with open(log, "rb") as stream:
            return struct.unpack("=Q", stream.read(8))[0]

    def snapshot(self, process, name):
        done = self.snap(process.folder, process.pid, "-o", name)
        self.checks.equal((done.code, done.stderr), (0, b""), "tm-snap")
        return self.facts(process.path(name))["snapshot"]

    def pair(self, process, log, number):
        """At full speed, and stopped: the facts, and how many events there were before, after, and at the stop."""
        before = self.events(log)
        moving = self.snapshot(process, "moving%d.tms" % number)
        after = self.events(log)
        process.process.send_signal(signal.SIGSTOP)
        await_stop(process.pid)
        at_stop = self.events(log)
        stopped = self.snapshot(process, "stopped%d.tms" % number)
        process.process.send_signal(signal.SIGCONT)
        return moving, stopped, (before, after, at_stop)

    def one_process(self, count):
        log = self.folder.fresh() + ".log"
        with outside.Process(self, crash.PROGRAM, "kill", "0", TRACEMALLOC_NFRAME="5", TM_EVENT_LOG_FILE=log,
                             LD_PRELOAD=self.options.logging) as process:
            pairs = [self.pair(process, log, number) for number in range(count)]
        stops = [stop for pair in pairs for stop in pair[2]]
        states = crash.replay(self.options.replay, log, "--at", *stops)
        os.unlink(log)
        for number, (moving, stopped, stops) in enumerate(pairs):
            self.compare(moving, stopped, states[number * 3:number * 3 + 3])
        return pairs

    def compare(self, moving, stopped, states):
        checks, slack = self.checks, THREADS * EVENT_MAX
        live = sum(moving["domains"][domain]["size"] for domain in crash.PYTHON)
        off = abs(live - moving["python_current"])
        checks.that(off <= moving["skew_bytes"] + slack, "moving: the sum is within the skew", (off, moving["skew_bytes"]))
        for total, low, high in (("python_current",) + states[1].range[:2], ("heap_current",) + states[1].range[2:]):
            checks.that(low - slack <= moving[total] <= high + slack, "moving: %s is one that there was" % total,
                        (moving[total], low, high))
        crash.agrees(checks, states[2], stopped, "stopped")


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--snap", required=True, type=os.path.abspath, help="tm-snap")
    parser.add_argument("--logging", required=True, type=os.path.abspath, help="the library that logs events")
    parser.add_argument("--replay", required=True, type=os.path.abspath, help="event_replay")
    options = parser.parse_args()
    options.report = os.path.abspath(options.report)
    checks = traced.Checks()
    chosen = interpreters.select(options.pythons)
    processes = 5 if options.full else 1
    with traced.Folder() as folder:
        for interpreter in chosen if options.full else chosen[-1:]:
            tester = Tester(options, checks, folder, interpreter)
            checks.begin("%s %d snapshots" % (interpreter.label, processes * PER_PROCESS))
            pairs = [pair for _ in range(processes) for pair in tester.one_process(PER_PROCESS)]
            checks.that(any(moving["skew_bytes"] for moving, _, _ in pairs), "the program was at work meanwhile")
            checks.end()
            print("  skew of those at full speed: at most %d bytes; %d events"
                  % (max(moving["skew_bytes"] for moving, _, _ in pairs), pairs[-1][2][2]))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
