#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is left of programs that were killed at work agrees with a log of their events.

A library built for this (src/runtime/track/log) logs each event before it counts it, in a file that outlives the
process.  Programs of four threads are killed at random moments: by SIGKILL, by a fault in an extension, by os.abort,
while they have no memory left, by the kernel's OOM killer.  Each store can be read, and its totals and the sums of its
records are those of a replay of the log, to within the one event that each thread was in.
"""
from __future__ import print_function

import itertools
import os
import random
import signal
import subprocess
import sys
import time

import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "applications", "killed_at_work.py")
PYTHON = ("raw", "mem", "obj")
DOMAINS = PYTHON + ("native",)
MOVE = 3
WAYS = {"kill": -signal.SIGKILL, "segv": -signal.SIGSEGV, "abort": -signal.SIGABRT, "nomemory": -signal.SIGKILL,
        "oom": -signal.SIGKILL}
PLAN = ["kill"] * 6 + ["segv", "abort", "nomemory", "kill"]  # of each ten
OOM_BYTES = 150 << 20


class State(object):
    """What a replay of the log says: live bytes and blocks per domain, and the last event of each thread."""

    def __init__(self):
        self.count = self.incomplete = self.peak = 0
        self.live, self.last, self.held, self.range = {}, [], [], ()

    def possible(self, domains, moves):
        """Sums of bytes and blocks over DOMAINS, where each thread's last event has counted or not."""
        changes = [change for domain, kind, change in self.last if domain in domains and (moves or kind != MOVE)]
        bytes_, blocks = (sum(self.live[domain][i] for domain in domains) for i in (0, 1))
        for not_counted in itertools.product((0, 1), repeat=len(changes)):
            yield (bytes_ - sum(way * change[0] for way, change in zip(not_counted, changes)),
                   blocks - sum(way * change[1] for way, change in zip(not_counted, changes)))


def replay(tool, *arguments):
    """The states, the last one last; a log that contradicts itself is an exception."""
    done = subprocess.run([tool] + list(map(str, arguments)), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise RuntimeError(done.stderr.decode().strip())
    states = []
    for line in done.stdout.decode(errors="surrogateescape").splitlines():
        word, rest = line.split("\t")[0], line.split("\t")[1:]
        if word == "events":
            states.append(State())
            states[-1].count, states[-1].incomplete = map(int, rest)
        elif word == "live" and int(rest[0]) < len(DOMAINS):
            states[-1].live[DOMAINS[int(rest[0])]] = tuple(map(int, rest[1:]))
        elif word == "last":
            states[-1].last.append((DOMAINS[int(rest[2])], int(rest[1]), (int(rest[3]), int(rest[4]))))
        elif word == "range":
            states[-1].range = tuple(map(int, rest))
        elif word == "peak":
            states[-1].peak = int(rest[0])
        elif word == "held":
            states[-1].held.append((DOMAINS[int(rest[0])], rest[3], int(rest[1]), int(rest[2])))
    return states


def agrees(checks, state, facts, what):
    """FACTS of a store or snapshot against STATE of the log at the same moment."""
    for total, domains in (("python_current", PYTHON), ("heap_current", DOMAINS)):
        possible = set(pair[0] for pair in state.possible(domains, False))
        checks.that(facts[total] in possible, "%s: %s" % (what, total),
                    (facts[total], sorted(possible)[:4], state.last))
    for domain in DOMAINS:
        found = facts["domains"][domain]["size"], facts["domains"][domain]["count"]
        possible = set(state.possible((domain,), True))
        # Of one event, bytes and blocks are two words.
        fits = found in possible or (found[0] in set(one[0] for one in possible)
                                     and found[1] in set(one[1] for one in possible))
        checks.that(fits, "%s: records of %s" % (what, domain), (found, sorted(possible)[:4], state.last))


class MemoryGroup(object):
    """A memory cgroup of either version; its path is None where none can be made.  Removed at the end, however that is."""

    def __init__(self):
        self.path = None
        for root, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
            path = os.path.join(root, "tm-test-%d" % os.getpid())
            try:
                os.mkdir(path)
            except OSError:
                continue
            try:
                with open(os.path.join(path, limit), "w") as stream:
                    stream.write(str(OOM_BYTES))
                self.path = path
                return
            except OSError:
                os.rmdir(path)

    def join(self):
        with open(os.path.join(self.path, "cgroup.procs"), "w") as stream:
            stream.write("0")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _ in range(100 if self.path else 0):
            try:
                os.rmdir(self.path)
                return
            except OSError:  # one that was killed is still on its way out
                time.sleep(0.1)


class Tester(object):
    def __init__(self, options, checks, folder, group):
        self.options, self.checks, self.folder, self.group = options, checks, folder, group
        self.events = self.killed = self.in_flight = 0

    def one(self, interpreter, how, rng):
        checks = self.checks
        folder = self.folder.fresh()
        log = folder + ".log"
        process = subprocess.Popen(
            [interpreter.path, PROGRAM, how, "%.4f" % rng.uniform(0, 0.4)], cwd=folder, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, preexec_fn=self.group.join if how == "oom" else None,
            env=interpreter.environment(LD_PRELOAD=self.options.logging, TM_EVENT_LOG_FILE=log,
                                        TRACEMALLOC_NFRAME=str(rng.choice((1, 5)))))
        try:
            process.stdout.readline()
            if how in ("kill", "nomemory"):
                time.sleep(rng.uniform(0, 0.4) if how == "kill" else 0.3 + rng.uniform(0, 0.5))
                process.send_signal(signal.SIGKILL)
            process.wait(timeout=600)
        except subprocess.TimeoutExpired:
            checks.that(False, "the program ends")
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        what = "%s %s" % (interpreter.label, how)
        checks.equal(process.returncode, WAYS[how], what + ": the way it ended")
        left = sorted(os.listdir(folder))
        if checks.equal(left, ["tracemalloc.%d.live" % process.pid], what + ": what is left"):
            self.compare(os.path.join(folder, left[0]), log, what)
        os.unlink(log)

    def compare(self, store, log, what):
        try:
            facts = traced.statistics(self.options.report, store, "filename")["snapshot"]
            state = replay(self.options.replay, log)[-1]
        except RuntimeError as error:
            self.checks.that(False, what, str(error))
            return
        self.checks.that(state.count > 10000 and facts["python_current"] > 1000000, what + ": it was at work", state.count)
        agrees(self.checks, state, facts, what)
        self.killed += 1
        self.events += state.count
        exact = sum(state.live[domain][0] for domain in DOMAINS)
        self.in_flight += facts["heap_current"] != exact


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--logging", required=True, type=os.path.abspath, help="the library that logs events")
    parser.add_argument("--replay", required=True, type=os.path.abspath, help="event_replay")
    parser.add_argument("--kills", type=int, default=0, help="how many programs are killed (default: 20, 200 when full)")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    options.report = os.path.abspath(options.report)
    rng = random.Random(options.seed)
    checks = traced.Checks()
    chosen = interpreters.select(options.pythons)
    if not options.full:
        chosen = [one for one in chosen if not one.shared or one is chosen[-1]][-2:]
    kills = options.kills or (200 if options.full else 20)
    with traced.Folder() as folder, MemoryGroup() as group:
        tester = Tester(options, checks, folder, group)
        checks.begin("killed at work, seed %d" % options.seed)
        for number in range(kills):
            how = "oom" if group.path and number % 20 == 19 else PLAN[number % len(PLAN)]
            tester.one(chosen[(number + number // len(PLAN)) % len(chosen)], how, rng)
        checks.end()
        print("  %d stores, %d events; in %d stores an event was under way" % (tester.killed, tester.events,
                                                                               tester.in_flight))
    if not group.path:
        checks.skip("killed by the OOM killer", "no memory cgroup can be made")
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
