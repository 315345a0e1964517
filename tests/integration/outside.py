#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tm-snap: looking into processes from outside, and what is left of dead ones."""
from __future__ import print_function

import errno
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import interpreters
import traced

BUSY = os.path.join(traced.HERE, "applications", "busy.py")
QUIET = "import sys, time\nx = [bytearray(1000) for _ in range(1000)]\nprint('ready')\nsys.stdout.flush()\ntime.sleep(60)\n"
EVENT_MAX = 4096  # bytes of one allocation of BUSY, at most
NOBODY = 65534


class Process(object):
    """A traced program that runs until the block is left."""

    def __init__(self, tester, *arguments, **variables):
        self.folder = tester.folder.fresh()
        variables.setdefault("LD_PRELOAD", tester.options.library)
        self.prefix = variables.pop("prefix", [])
        self.process = subprocess.Popen(self.prefix + [tester.interpreter.path] + list(arguments), cwd=self.folder,
                                        stdout=subprocess.PIPE, env=tester.interpreter.environment(**variables))
        self.process.stdout.readline()
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def await_sleep(self):
        """Until it has been asleep for a while: what follows its first line is done."""
        asleep = 0
        while asleep < 5:
            time.sleep(0.02)
            with open("/proc/%d/stat" % self.pid) as stream:
                asleep = asleep + 1 if stream.read().rsplit(")", 1)[1].split()[0] == "S" else 0

    def kill(self, number=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait()

    def __exit__(self, *_):
        self.kill()
        self.process.stdout.close()

    def path(self, name):
        return os.path.join(self.folder, name)

    def store(self):
        return self.path("tracemalloc.%d.live" % self.pid)


class Tester(traced.Tester):
    def snap(self, folder, *arguments, **options):
        return traced.run([self.options.snap] + [str(word) for word in arguments], folder, self.interpreter.environment(),
                          **options)

    def facts(self, path):
        return traced.statistics(self.options.report, path, "filename")

    def fails(self, done, words, what):
        message = done.stderr.decode()
        self.checks.that(done.code == 1 and message.count("\n") == 1 and words in message, what, (done.code, message))

    def while_busy(self):
        """100 snapshots at full speed: each loads, and its sums are within the skew that it states."""
        checks = self.checks
        with Process(self, BUSY, "300", TRACEMALLOC_NFRAME="5") as process:
            skews = []
            for number in range(1, 101):
                done = self.snap(process.folder, process.pid)
                name = "tracemalloc.%d.%04d.tms" % (process.pid, number)
                if not checks.equal((done.code, done.stdout.decode(), done.stderr), (0, name + "\n", b""), "tm-snap"):
                    break
                everything = json.loads(traced.report(self.options.report, "stats", "--format", "json", process.path(name)))
                facts = everything["snapshot"]
                live = sum(facts["domains"][domain]["size"] for domain in ("raw", "mem", "obj"))
                skews.append(facts["skew_bytes"])
                off = abs(live - facts["python_current"])
                checks.that(off <= facts["skew_bytes"] + 4 * EVENT_MAX, "the sum is within the skew",
                            (off, facts["skew_bytes"]))
                checks.that(facts["python_current"] <= facts["python_peak"] <= facts["heap_peak"]
                            and facts["heap_current"] >= facts["python_current"], "totals and peaks", facts)
                checks.equal((facts["pid"], facts["moment"]), (process.pid, "tm-snap"), "facts")
            checks.that(any(skews), "the program was at work meanwhile", skews[:5])
            for _ in range(10):
                text = traced.report(self.options.report, process.store())
                checks.that("at its live store" in text, "tm-report of a store in use", text)
        with Process(self, "-c", QUIET) as process:
            process.await_sleep()
            self.snap(process.folder, process.pid, "-o", "quiet.tms")
            facts = self.facts(process.path("quiet.tms"))["snapshot"]
            live = sum(facts["domains"][domain]["size"] for domain in ("raw", "mem", "obj"))
            checks.equal((facts["skew_bytes"], live), (0, facts["python_current"]), "nothing moves in a quiet program")
            checks.that(facts["python_current"] > 1000 * 1000, "what the quiet program holds", facts["python_current"])

    def any_state(self):
        """Stopped, dead, a zombie, by its path; names; what is not traced."""
        checks = self.checks
        with Process(self, "-c", QUIET) as process:
            process.process.send_signal(signal.SIGSTOP)
            checks.equal(self.snap(process.folder, process.pid, "-o", "s.%p.%%.tms").stdout.decode(),
                         "s.%d.%%.tms\n" % process.pid, "stopped; a name with %p")
            process.process.send_signal(signal.SIGCONT)
            done = self.snap(process.folder, process.pid, "-o", "-")
            checks.that(done.stdout.startswith(open(process.path("s.%d.%%.tms" % process.pid), "rb").read(8)), "-o -")
            checks.equal(self.snap(process.folder, process.store()).stdout.decode(),
                         "tracemalloc.%d.0001.tms\n" % process.pid, "by the store's path")
            checks.equal(os.stat(process.path("tracemalloc.%d.0001.tms" % process.pid)).st_mode & 0o777, 0o600, "mode")
            os.mkdir(process.path("out"))
            os.symlink("/nonexistent", process.path("link.tms"))
            self.fails(self.snap(process.folder, process.pid, "-o", "link.tms"), "no regular file", "not through a link")
            self.fails(self.snap(process.folder, process.pid, "-o", "missing/x.tms"), "No such file", "no folder")
            done = self.snap(process.folder, "--every", "1s", "--count", "2", process.pid, "-o", "out/e.tms")
            checks.equal(done.stdout.decode(), "out/e.0001.tms\nout/e.0002.tms\n", "--every")
            every = subprocess.Popen([self.options.snap, "--every", "1", str(process.pid), "-o", "out/"],
                                     cwd=process.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            every.stdout.readline()
            os.kill(process.pid, signal.SIGKILL)
            time.sleep(0.1)
            self.fails(self.snap(self.folder.fresh(), process.pid), "is dead", "a zombie is dead")
            process.kill()
            checks.that(b"ended" in every.communicate()[1] and every.returncode == 0, "--every ends with the process")
            checks.equal(self.snap(process.folder, process.pid).code, 0, "dead, in the folder of its store")
            self.fails(self.snap("/", process.pid), "give the path of its store", "dead, elsewhere")
        with Process(self, "-c", QUIET, LD_PRELOAD="") as process:
            self.fails(self.snap(process.folder, process.pid), "is not traced: start it with tm-run", "not traced")
        with Process(self, "-c", QUIET, TRACEMALLOC_STORE="none") as process:
            self.fails(self.snap(process.folder, process.pid), "has no store in a file", "STORE=none")

    def no_blocks(self):
        """Single blocks are the process's own: whoever asked for them is told once where they are."""
        checks = self.checks
        with Process(self, "-c", QUIET, TRACEMALLOC_BLOCKS="1") as process:
            done = self.snap(process.folder, "--every", "1s", "--count", "2", process.pid, "-o", "e.tms")
            checks.equal((done.code, done.stdout), (0, b"e.0001.tms\ne.0002.tms\n"), "snapshots without blocks")
            checks.that(done.stderr.count(b"\n") == 1 and b"has no single blocks" in done.stderr, "one line", done.stderr)
            for name in ("e.0001.tms", process.store()):
                done = traced.run([self.options.report, "blocks", name], process.folder, os.environ)
                self.fails(done, "not known outside of the process; run it with TRACEMALLOC_BLOCKS=1", "blocks of " + name)

    def listed(self):
        with Process(self, BUSY, "300") as process, Process(self, "-c", QUIET, TRACEMALLOC_STORE="none") as other:
            done = self.snap(process.folder, "--list")
            text = done.stdout.decode()
            row = re.search(r"^ *%d +[RSD] +\d+s +[\d.]+ [KM]iB +[\d.]+ [KM]iB +[\d.]+ MiB  .*busy\.py 300$" % process.pid,
                            text, re.MULTILINE)
            self.checks.that(row, "a row of --list", text)
            self.checks.that(not re.search(r"^ *%d " % other.pid, text, re.MULTILINE) and b"more have the library" in done.stderr,
                             "a store in memory is no row", (text, done.stderr))
        asking = ("import ctypes, sys, time\napi = ctypes.CDLL(None)\n"
                  "api.tracemalloc_get_tracemalloc_memory.restype = ctypes.c_size_t\n"
                  "held = [bytearray(i) for i in range(30000)]\nexec('\\n'.join('held.append([%d])' % i for i in range(999)))\n"
                  "print('ready'); print(api.tracemalloc_get_tracemalloc_memory()); sys.stdout.flush(); time.sleep(60)")
        with Process(self, "-c", asking) as process:
            own = int(process.process.stdout.readline())
            text = self.snap(process.folder, "--list").stdout.decode()
            row = re.search(r"^ *%d +[RSD] +\d+s +\S+ \S+ +\S+ \S+ +([\d.]+) MiB  " % process.pid, text, re.MULTILINE)
            self.checks.that(row and abs(float(row.group(1)) * 2 ** 20 - own) < 0.05 * own, "tracer memory", (text, own))

    def others(self):
        """Another user, another root folder, another pid namespace."""
        checks = self.checks
        if os.geteuid() != 0:
            checks.skip("other users and namespaces", "needs root")
            return
        become_nobody = {"preexec_fn": lambda: (os.setgid(NOBODY), os.setuid(NOBODY))}
        with Process(self, "-c", QUIET) as process:
            self.fails(self.snap("/", process.pid, **become_nobody), "owned by uid 0: run as that user or with sudo", "owner")
            os.chmod(self.folder.path, 0o755)
            os.chmod(process.folder, 0o755)
            self.fails(self.snap("/", process.store(), **become_nobody), "owned by uid 0: run as that user", "a store's owner")
        hidden = ["unshare", "-m", "-p", "-f", "--mount-proc", "sh", "-c",
                  'mount -t tmpfs tmpfs "$PWD" && cd "$PWD" && "$0" "$@"; exit']
        if subprocess.call(["unshare", "-m", "-p", "-f", "--mount-proc", "true"], stderr=subprocess.DEVNULL) != 0:
            checks.skip("namespaces", "unshare is not allowed")
            return
        with Process(self, "-c", QUIET, prefix=hidden) as process:
            pids = [int(line.split()[0]) for line in self.snap("/", "--list").stdout.decode().splitlines()[1:]
                    if line.endswith("time.sleep(60)") or "bytearray(1000)" in line]
            inside = [pid for pid in pids if os.readlink("/proc/%d/ns/mnt" % pid) != os.readlink("/proc/self/ns/mnt")]
            if checks.equal(len(inside), 1, "a process of another container is listed"):
                done = self.snap(process.folder, inside[0], "-o", "inside.tms")
                checks.equal((done.code, done.stderr), (0, b""), "a container's process from the host")
                checks.that(self.facts(process.path("inside.tms"))["snapshot"]["pid"] < 100, "its pid is its own")
                os.kill(inside[0], signal.SIGKILL)

    def other_namespace(self):
        """--collect in one container knows of a process in another that uses the store."""
        checks = self.checks
        elsewhere = ["unshare", "-p", "-f", "--mount-proc"]
        if os.geteuid() != 0 or subprocess.call(elsewhere + ["true"], stderr=subprocess.DEVNULL) != 0:
            checks.skip("--collect in another pid namespace", "unshare is not allowed")
            return
        system = subprocess.run(["stat", "-f", "-c", "%T", self.folder.path], stdout=subprocess.PIPE).stdout.decode().strip()
        knows = system in ("ext2/ext3", "tmpfs", "xfs", "btrfs")
        with Process(self, "-c", QUIET) as process:
            collect = elsewhere + [self.options.snap, "--collect", "."]
            done = traced.run(collect, process.folder, self.interpreter.environment())
            checks.that(done.code == 0 and b"it stays" in done.stderr, "a store of another namespace stays", done.stderr)
            checks.equal(os.listdir(process.folder), [os.path.basename(process.store())], "nothing was made of it")
            process.kill()
            done = traced.run(collect, process.folder, self.interpreter.environment())
            if knows:
                checks.equal(done.stdout.decode(), "tracemalloc.%d.tms\n" % process.pid, "once it is dead it goes")
            else:
                checks.that(b"does not tell" in done.stderr and os.path.exists(process.store()), "not known: it stays",
                            done.stderr)

    def said(self):
        """What a snapshot of the process itself says of what could not be seen or done is in those from outside too, and
        in what a kill leaves."""
        checks = self.checks
        for variables in ({}, {"TRACEMALLOC_EXACT": "1"}, {"TRACEMALLOC_SAMPLE": "4KiB"}):
            inside = "import ctypes\nctypes.CDLL(None).tracemalloc_take_snapshot(b'inside.tms')\n"
            with Process(self, "-c", inside + QUIET, **variables) as process:
                self.snap(process.folder, process.pid, "-o", "outside.tms")
                words = [self.facts(process.path(name + ".tms"))["snapshot"].get("recycled") for name in ("inside", "outside")]
                process.kill()
                words.append(self.facts(process.store())["snapshot"].get("recycled"))
            checks.that(words[0] and words == words[:1] * 3, "recycled objects, %s" % variables, words)
        starved = ("import ctypes, os, resource, signal\nresource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
                   "assert ctypes.CDLL(None).tracemalloc_take_snapshot(b'none.tms') != 0\n"
                   "os.kill(os.getpid(), signal.SIGKILL)\n")
        with Process(self, "-c", starved) as process:
            process.process.wait()
            facts = self.facts(process.store())["snapshot"]
            found = [facts.get(key) for key in ("failed_call", "failed_call_errno")]
            checks.that(facts.get("failed_calls", 0) > 0 and found == ["open", errno.EMFILE], "what failed before a kill", facts)
            done = self.snap(process.folder, "--collect")
            facts = self.facts(process.path("tracemalloc.%d.tms" % process.pid))["snapshot"]
            checks.that(done.code == 0 and facts.get("failed_calls", 0) > 0, "and after --collect", facts)

    def hostile(self):
        """A store that is scribbled over and cut while it is read: an answer or one line, never a crash."""
        rng = random.Random(7)
        with Process(self, "-c", QUIET) as process:
            shutil.copy(process.store(), process.path("copy.live"))
        size = os.path.getsize(process.path("copy.live"))
        with open(process.path("copy.live"), "rb") as stream:
            good = stream.read()
        for number in range(60):
            bad = bytearray(good)
            for _ in range(rng.choice((1, 10, 1000))):
                bad[rng.randrange(8, rng.choice((4096, 65536, size)))] = rng.choice((0, 255, rng.randrange(256)))
            with open(process.path("bad.live"), "wb") as stream:
                stream.write(bad[:rng.choice((size, size, rng.randrange(size)))])
            done = self.snap(process.folder, "bad.live", "-o", "bad.tms")
            fine = done.code == 0 or (done.code == 1 and done.stderr.count(b"\n") == 1)
            self.checks.that(fine, "a damaged store, number %d" % number, (done.code, done.stderr))
            if done.code == 0:
                code = subprocess.call([self.options.report, process.path("bad.tms")], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
                self.checks.that(code in (0, 1), "tm-report of what came of it", code)

    def collected(self):
        checks = self.checks
        with Process(self, "-c", QUIET) as process:
            name = "tracemalloc.%d" % process.pid
            done = self.snap(process.folder, "--collect")
            checks.equal((done.code, done.stdout, done.stderr.decode()),
                         (0, b"", "tm-snap: %s.live: a process uses it; it stays\n" % name), "a living process's store stays")
            process.process.send_signal(signal.SIGSTOP)
            checks.equal(self.snap("/", "--collect", process.folder).stdout, b"", "a stopped process's store stays")
            checks.equal(os.listdir(process.folder), [name + ".live"], "nothing else")
            process.kill()
            with open(process.path(name + ".tms"), "w") as stream:
                stream.write("mine\n")
            with open(process.path("x.live"), "w") as stream:
                stream.write("no store\n")
            os.symlink(name + ".live", process.path("y.live"))
            done = self.snap(process.folder, "--collect")
            checks.equal((done.code, done.stdout.decode()), (1, name + "-2.tms\n"), "a dead process's store")
            checks.equal(done.stderr.count(b"\n"), 2, "what stays is said")
            checks.equal(sorted(os.listdir(process.folder)), sorted([name + ".tms", name + "-2.tms", "x.live", "y.live"]),
                         "files after --collect")
            checks.equal(open(process.path(name + ".tms")).read(), "mine\n", "what was there stays")
            total = self.facts(process.path(name + "-2.tms"))["total"]["size"]
            checks.that(total > 1000 * 1000, "what it held", total)
        replaced = ("import os, sys\nx = [0] * 1000\nos.execv('/bin/sh', ['sh', '-c', 'echo ready; exec sleep 60'])\n")
        with Process(self, "-c", replaced, LD_PRELOAD=self.options.library) as process:
            done = self.snap(process.folder, "--collect")
            checks.equal((done.code, done.stdout.decode()), (0, "tracemalloc.%d.tms\n" % process.pid),
                         "what exec left is dead, though its pid lives")
        self.fails(self.snap("/", "--collect", "/nonexistent"), "/nonexistent: No such file", "--collect of no folder")


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--snap", required=True, type=os.path.abspath, help="tm-snap")
    options = parser.parse_args()
    options.report = os.path.abspath(options.report)
    chosen = interpreters.select(options.pythons)
    return traced.on_groups(options, chosen if options.full else chosen[-1:], Tester,
                            (Tester.any_state, Tester.no_blocks, Tester.listed, Tester.others, Tester.other_namespace, Tester.said, Tester.hostile,
                             Tester.collected, Tester.while_busy))


if __name__ == "__main__":
    sys.exit(main())
