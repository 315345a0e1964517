#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a forked child got itself (tm-report --since-fork), to the block, whatever threads did at the fork and however it was
made."""
from __future__ import print_function

import ctypes
import json
import os
import subprocess
import sys

import interpreters
import traced

# All blocks that are checked come from one line, in the parent, its child and its grandchild.  A block is a bytearray's and
# its bytes'.  Four threads allocate meanwhile, with the GIL and without.
PROGRAM = r"""
import ctypes, gc, os, sys, threading, zlib
gc.disable()
stop = []
def fill(slots):
    for place in slots:
        slots[place] = bytearray(4000)  # THE LINE
    bytearray(1)  # takes over what a call keeps for the next one
def churn(data):
    while not stop:
        zlib.compress(data)
        kept = [bytearray(3000 + i) for i in range(30)]
def fork(how):
    if how == 'fork':
        return os.fork()
    if how == '_Fork':
        return ctypes.PyDLL(None)._Fork()
    clone = {'x86_64': 56, 'aarch64': 220}[os.uname()[4]]
    return ctypes.PyDLL(None).syscall(clone, 17, 0, 0, 0, 0)
def say(word):
    os.write(1, (word + ' ' + str(os.getpid()) + '\n').encode())
def wait():
    os.read(0, 1)
how, threads = sys.argv[1], int(sys.argv[2])
mine, the_childs, the_grandchilds = (dict.fromkeys(range(n)) for n in (500, 1000, 10))
say(str(sys.getsizeof(bytearray(4000))))
for i in range(threads):
    thread = threading.Thread(target=churn, args=(b'0123456789' * 5000,))
    thread.start()
fill(mine)
child = fork(how)
if child == 0:
    fill(the_childs)
    for place in range(200):
        mine[place] = None
    say('child')
    wait()
    grandchild = fork(how)
    if grandchild == 0:
        fill(the_grandchilds)
        young = [bytearray(5000 + i) for i in range(300)]
        the_childs = None
        say('grandchild')
        os._exit(0)
    code = os.waitpid(grandchild, 0)[1]
    os._exit(code and 1)
print(os.waitpid(child, 0)[1])
stop.append(1)
sys.stdout.flush()
"""
LINE = PROGRAM.split("# THE LINE")[0].count("\n") + 1
MINE, FREED, CHILDS, GRANDCHILDS = 500, 200, 1000, 10


class Family(object):
    """PROGRAM running, until its child waits to be looked at."""

    def __init__(self, tester, how, threads):
        self.folder = tester.folder.fresh()
        path = os.path.join(self.folder, "program.py")
        with open(path, "w") as stream:
            stream.write(PROGRAM)
        environment = tester.interpreter.environment(LD_PRELOAD=tester.options.library, TRACEMALLOC_OUTPUT="%p.tms")
        self.process = subprocess.Popen([tester.interpreter.path, "-W", "ignore", path, how, str(threads)],
                                        cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        self.block_size, self.parent = self.hear()
        self.child = self.hear()[1]

    def hear(self):
        word, pid = self.process.stdout.readline().split()
        return word.decode(), int(pid)

    def end(self):
        self.stdout, self.stderr = self.process.communicate(b".")
        self.grandchild = int(self.stdout.split()[1])

    def snapshot(self, pid):
        return os.path.join(self.folder, "%d.tms" % pid)


class Tester(traced.Tester):
    def line(self, path, *options):
        """(blocks, bytes) of THE LINE."""
        rows = traced.statistics(self.options.report, path, "lineno", "--domain", "all", *options)["statistics"]
        found = [(row["count"], row["size"]) for row in rows
                 if row["traceback"][-1]["filename"].endswith("program.py") and row["traceback"][-1]["lineno"] == LINE]
        return found[0] if found else (0, 0)

    def expect(self, family, path, own, inherited, what):
        size = int(family.block_size)
        checks = self.checks
        checks.equal(self.line(path, "--since-fork"), (2 * own, own * size), what + ": its own")
        both = own + inherited
        checks.equal(self.line(path), (2 * both, both * size), what + ": with what it inherited")

    def family(self, how, threads):
        checks = self.checks
        family = Family(self, how, threads)
        outside = os.path.join(family.folder, "outside.tms")
        done = traced.run([self.options.snap, str(family.child), "-o", outside], family.folder, self.interpreter.environment())
        checks.equal((done.code, done.stderr), (0, b""), "tm-snap of the child")
        family.end()
        checks.equal((family.process.returncode, family.stderr), (0, b""), "code and stderr")
        checks.equal(family.stdout.split()[2:], [b"0"], "the children's codes")
        self.expect(family, outside, CHILDS, MINE - FREED, "from outside")
        self.expect(family, family.snapshot(family.child), CHILDS, MINE - FREED, "the child's")
        self.expect(family, family.snapshot(family.grandchild), GRANDCHILDS, MINE - FREED, "the grandchild's")
        facts = json.loads(traced.report(self.options.report, "--format", "json", "--since-fork",
                                         family.snapshot(family.child)))["snapshot"]
        checks.equal(facts["forked_from"], family.parent, "who forked")
        checks.that(0 < facts["fork_time_ns"] <= facts["time_ns"] < facts["fork_time_ns"] + 300 * 10 ** 9, "when", facts)
        later = json.loads(traced.report(self.options.report, "--format", "json", "--since-fork",
                                         family.snapshot(family.grandchild)))["snapshot"]
        checks.equal(later["forked_from"], family.child, "who forked the grandchild")
        checks.that(later["fork_time_ns"] > facts["fork_time_ns"], "when the grandchild was forked", (facts, later))
        merged = os.path.join(family.folder, "merged")
        traced.report(self.options.report, "merge", "--since-fork", family.snapshot(family.child),
                      family.snapshot(family.grandchild), "-o", merged)
        both = CHILDS + GRANDCHILDS
        checks.equal(self.line(merged), (2 * both, both * int(family.block_size)), "what both got themselves")
        checks.equal(self.line(family.snapshot(family.parent)), (2 * MINE, MINE * int(family.block_size)), "the parent's")
        done = traced.run([self.options.report, "--since-fork", family.snapshot(family.parent)], family.folder,
                          self.interpreter.environment())
        checks.that(done.code == 1 and done.stderr.count(b"\n") == 1 and b"was not forked" in done.stderr, "the parent was not",
                    done.stderr)

    def threads(self):
        self.family("fork", 4)

    def alone(self):
        self.family("fork", 0)

    def past_handlers(self):
        """Made by _Fork or a raw system call, past pthread_atfork."""
        if hasattr(ctypes.CDLL(None), "_Fork"):  # glibc 2.34
            self.family("_Fork", 0)
        self.family("clone", 0)


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--snap", required=True, help="tm-snap")
    options = parser.parse_args()
    options.library, options.snap = os.path.abspath(options.library), os.path.abspath(options.snap)
    options.report = os.path.abspath(options.report)
    chosen = interpreters.select(options.pythons)
    return traced.on_groups(options, chosen, Tester, (Tester.threads,), (Tester.alone, Tester.past_handlers))


if __name__ == "__main__":
    sys.exit(main())
