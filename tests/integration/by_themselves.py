#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Snapshots that the tracer takes by itself while a program runs: INTERVAL, KEEP, THRESHOLD, SIGNAL."""
from __future__ import print_function

import multiprocessing.pool
import os
import re
import sys

import interpreters
import traced

MIB = 1 << 20

# Runs until there is a snapshot of the number, with nothing but small objects of two lines: events of the quickest kind.
UNTIL = """
import os, sys, time
wanted, end = '.' + sys.argv[1] + '.tms', time.time() + 60
while time.time() < end and not [name for name in os.listdir('.') if name.endswith(wanted)]:
    for i in range(20000):
        y = (i, i + 1000)
    time.sleep(0.1)
print('tasks %d' % len(os.listdir('/proc/self/task')))
"""

# The same in a thread with the smallest stack that Python gives; libc asks for more where the processor's state is larger.
IN_THREAD = """
import threading
for size in (32768, 65536):
    try:
        threading.stack_size(size)
        break
    except ValueError:
        pass
def run():
%s
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""

GROWS = """
blocks = []
for i in range(50):
    blocks.append(bytearray(1000000))
print(len(blocks))
"""

# Its folder goes and comes back.
FOLDER_GOES = """
import os, time
def pause(seconds, done):
    end = time.time() + seconds
    while time.time() < end and not done():
        y = [bytearray(100) for i in range(100)]
        time.sleep(0.02)
before = len(os.listdir('out')) # where the start took its time
os.rename('out', 'away')
pause(3.5, lambda: False)
os.rename('away', 'out')
pause(60, lambda: len(os.listdir('out')) > before)
print(len(os.listdir('out')) - before)
"""

# What signal.getsignal says is what it says without us; the program's own handler wins.
SIGNALLED = """
import os, signal, time
def until(number):
    end = time.time() + 60
    while time.time() < end and not [name for name in os.listdir('.') if name.endswith(number + '.tms')]:
        y = [(i, i) for i in range(100)]
    return time.time() < end
heard = []
print(signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL)
for number in ('.0001', '.0002'):
    os.kill(os.getpid(), signal.SIGUSR1)
    print(until(number))
print(signal.signal(signal.SIGUSR1, lambda *_: heard.append(1)) == signal.SIG_DFL)
os.kill(os.getpid(), signal.SIGUSR1)
y = [(i, i) for i in range(100000)]
print(heard)
"""

# Thousands of tracebacks, so that a snapshot takes several slices, and a heap that swings while it is made.
SWINGS = """
import os, signal, sys, time
LEVELS, LINES = 6, 4
source = ''
for level in range(LEVELS):
    source += 'def level_%d(path):\\n' % level
    for line in range(LINES):
        source += '    if path // %d %% %d == %d:\\n        return level_%d(path)\\n' % (
            LINES ** level, LINES, line, level + 1)
source += 'def level_%d(path):\\n    return [[], (path,)]\\n' % LEVELS
exec(compile(source, 'levels.py', 'exec'))
kept = [level_0(path) for path in range(LINES ** LEVELS)]
def swing(size):
    block = bytearray(size)
    return [(number, []) for number in range(2000)] + [block]
for number in ('.0001', '.0002', '.0003'):
    os.kill(os.getpid(), signal.SIGUSR1)
    end = time.time() + 60
    while time.time() < end and not [name for name in os.listdir('.') if name.endswith(number + '.tms')]:
        for size in (100, 40000000):
            block = swing(size)
            del block
print(len(kept))
sys.stdout.flush()
if len(sys.argv) > 1: # ends in the middle of one
    os.kill(os.getpid(), signal.SIGUSR1)
    block = [[] for number in range(100)]
    if sys.argv[1] == 'kill':
        os.kill(os.getpid(), signal.SIGKILL)
"""

IGNORES = """
import os, signal
print(signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN)
os.kill(os.getpid(), signal.SIGUSR1)
y = [(i, i) for i in range(100000)]
"""

FORKS = """
import os, sys, time
def until(number, kind):
    end = time.time() + 60
    while time.time() < end and not [name for name in os.listdir('.') if kind(name) and number in name]:
        y = [bytearray(100) for i in range(1000)]
        time.sleep(0.02)
parent = '.%d.' % os.getpid()
until('.0002.', lambda name: parent in name)
child = os.fork()
if child == 0:
    own = '.%d.' % os.getpid()
    before = [name for name in os.listdir('.') if parent in name and name.endswith('.tms')]
    until('.0003.', lambda name: own in name)
    os.write(1, b'1\\n' if before and not set(before) - set(os.listdir('.')) else b'0\\n')
    os._exit(0)
os.waitpid(child, 0)
"""


POOL = multiprocessing.pool.ThreadPool(16)


class Tester(traced.Tester):
    """What waits for an interval's seconds runs beside all else, of all interpreters at once."""

    def prepare(self, is_one_of_few):
        self.in_interval = self.start(UNTIL, "0003", TRACEMALLOC_INTERVAL="1s", TRACEMALLOC_KEEP="2")
        if is_one_of_few:
            indented = "\n".join("    " + line for line in UNTIL.strip().split("\n"))
            self.in_thread = self.start(IN_THREAD % indented, "0003", TRACEMALLOC_INTERVAL="1s", TRACEMALLOC_KEEP="2")
            folder = self.folder.fresh()
            os.mkdir(os.path.join(folder, "out"))
            self.without_folder = self.start(FOLDER_GOES, folder=folder, TRACEMALLOC_INTERVAL="1s",
                                             TRACEMALLOC_OUTPUT="out/x.tms", TRACEMALLOC_STORE="none")
            self.forking = self.start(FORKS, TRACEMALLOC_INTERVAL="1s", TRACEMALLOC_KEEP="1")

    def start(self, *arguments, **variables):
        return POOL.apply_async(self.run, arguments, variables)

    def run(self, program, *arguments, **variables):
        folder = variables.pop("folder", None) or self.folder.fresh()
        variables.setdefault("LD_PRELOAD", self.options.library)
        return traced.run([self.interpreter.path, "-c", program] + list(arguments), folder,
                          self.interpreter.environment(**variables))

    def snapshot(self, path):
        return traced.statistics(self.options.report, path)["snapshot"]

    def numbers(self, done):
        """The numbers of the snapshots, which are all of one process, and nothing else in the folder."""
        found = [re.match(r"tracemalloc\.(\d+)\.(\d{4})\.tms$", name) for name in done.names()]
        self.checks.that(all(found) and len({one.group(1) for one in found}) == 1, "names", done.names())
        return [int(one.group(2)) for one in found if one]

    def interval(self):
        self.check_interval(self.in_interval.get(), tasks=1)

    def small_stack(self):
        self.check_interval(self.in_thread.get(), tasks=2)

    def check_interval(self, done, tasks):
        checks = self.checks
        checks.equal((done.code, done.stdout, done.stderr), (0, b"tasks %d\n" % tasks, b""), "code and output, no thread of ours")
        numbers = self.numbers(done)
        checks.equal(len(numbers), 3, "KEEP=2 and the exit snapshot")
        checks.equal(numbers, list(range(numbers[0], numbers[0] + 3)), "the newest ones stay")
        moments = [self.snapshot(path)["moment"] for path in done.snapshots()]
        checks.equal(moments, ["interval", "interval", "exit"], "moments")
        times = [self.snapshot(path)["time_ns"] for path in done.snapshots()]
        checks.that(times == sorted(times), "times", times)

    def threshold(self):
        """Each step of 10 MiB is seen within one block of a million bytes."""
        checks = self.checks
        done = self.run(GROWS, TRACEMALLOC_THRESHOLD="10MiB")
        checks.equal((done.code, done.stdout, done.stderr), (0, b"50\n", b""), "code and output")
        found = [self.snapshot(path) for path in done.snapshots()]
        checks.equal([one["moment"] for one in found], ["threshold"] * (len(found) - 1) + ["exit"], "moments")
        checks.that(len(found) - 1 in (4, 5), "a snapshot for each step", len(found) - 1)
        for step, one in enumerate(found[:-1], 1):
            checks.that(0 <= one["heap"]["current"] - 10 * step * MIB < 1100000, "step %d" % step, one["heap"])
        self.numbers(done)

    def signal(self):
        checks = self.checks
        done = self.run(SIGNALLED, TRACEMALLOC_SIGNAL="USR1")
        checks.equal((done.code, done.stdout), (0, b"True\nTrue\nTrue\nTrue\n[1]\n"), "code and output")
        checks.that(done.stderr.count(b"\n") == 1 and b"has set its own action" in done.stderr, "one line", done.stderr)
        moments = [self.snapshot(path)["moment"] for path in done.snapshots()]
        checks.equal(moments, ["signal", "signal", "exit"], "moments")
        self.numbers(done)
        environment = self.interpreter.environment(LD_PRELOAD=self.options.library, TRACEMALLOC_SIGNAL="USR1")
        done = traced.run(["sh", "-c", "trap '' USR1; exec \"$0\" -c \"$1\"", self.interpreter.path, IGNORES],
                          self.folder.fresh(), environment)
        checks.equal((done.code, done.stdout), (0, b"True\n"), "ignored: code and output")
        checks.that(done.stderr.count(b"\n") == 1 and b"ignored already" in done.stderr, "ignored: one line", done.stderr)
        checks.equal(len(done.snapshots()), 1, "ignored: only the exit snapshot")
        done = traced.run(["sh", "-c", "kill -USR1 $$"], self.folder.fresh(), environment)
        checks.equal((done.code, done.stderr, done.names()), (-10, b"", []), "a process without Python is left alone")

    def slices(self):
        """What a snapshot has is of one moment, although the program goes on while it is made."""
        checks = self.checks
        done = self.run(SWINGS, TRACEMALLOC_SIGNAL="USR1", TRACEMALLOC_NFRAME="10")
        checks.equal((done.code, done.stdout, done.stderr), (0, b"4096\n", b""), "code and output")
        checks.equal(len(done.snapshots()), 4, "snapshots")
        for path in done.snapshots()[:-1]:
            found = traced.statistics(self.options.report, path)
            one = found["snapshot"]
            checks.equal(found["total"]["size"], one["traced"]["current"], "the tracebacks' sum is the total, to the byte")
            checks.that(len(found["statistics"]) > 4096, "tracebacks", len(found["statistics"]))
            checks.that(os.stat(path).st_mtime_ns - one["time_ns"] >= 8000000, "written slices after its moment")

    def ends_between_slices(self):
        """A kill leaves the snapshots that are whole, and no part of one; an end does what is left of it."""
        checks = self.checks
        done = self.run(SWINGS, "kill", TRACEMALLOC_SIGNAL="USR1", TRACEMALLOC_NFRAME="10")
        checks.equal((done.code, done.stdout, done.stderr), (-9, b"4096\n", b""), "kill: code and output")
        checks.equal([self.snapshot(path)["moment"] for path in done.snapshots()], ["signal"] * 3, "kill: snapshots")
        checks.equal(len(done.names()), 3 + len(done.stores()), "kill: nothing else")
        done = self.run(SWINGS, "end", TRACEMALLOC_SIGNAL="USR1", TRACEMALLOC_NFRAME="10")
        checks.equal((done.code, done.stdout, done.stderr), (0, b"4096\n", b""), "end: code and output")
        moments = [self.snapshot(path)["moment"] for path in done.snapshots()]
        checks.equal(moments, ["signal"] * 4 + ["exit"], "end: snapshots")
        checks.equal(len(done.names()), 5, "end: nothing else")

    def failures(self):
        """A folder that is gone is said once; the program goes on, and so do the snapshots when it is back."""
        checks = self.checks
        done = self.without_folder.get()
        checks.equal((done.code, done.stdout), (0, b"1\n"), "code and output")
        checks.that(done.stderr.count(b"\n") == 1 and re.search(br"out/x\.\d{4}\.tms: no such folder", done.stderr), "one line",
                    done.stderr)
        names = sorted(os.listdir(os.path.join(done.folder, "out")))
        checks.equal(names[:2], ["x.0001.tms", "x.0002.tms"], "what came afterwards")

    def children(self):
        """A forked child counts for itself and leaves its parent's files alone."""
        done = self.forking.get()
        self.checks.equal((done.code, done.stdout, done.stderr), (0, b"1\n", b""), "code and output")
        moments = sorted(self.snapshot(path)["moment"] for path in done.snapshots())
        self.checks.equal(moments, ["exit"] * 2 + ["interval"] * 2, "snapshots of both")


def main():
    options = traced.arguments(__doc__).parse_args()
    return traced.on_groups(options, interpreters.select(options.pythons), Tester,
                            (Tester.interval, Tester.threshold, Tester.signal, Tester.slices),
                            with_few=(Tester.small_stack, Tester.ends_between_slices, Tester.failures, Tester.children))


if __name__ == "__main__":
    sys.exit(main())
