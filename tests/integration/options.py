#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The options: wrong ones say so in one line and the program runs on; right ones do what they say; names of files."""
from __future__ import print_function

import os
import platform
import re
import sys

import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "applications", "plain.py")

# variable, value, what the message must name as the right one
WRONG = (
    ("TRACEMALLOC_NFRAME", "0", "65535"), ("TRACEMALLOC_NFRAME", "-1", "65535"), ("TRACEMALLOC_NFRAME", "abc", "65535"),
    ("TRACEMALLOC_NFRAME", "65536", "65535"), ("TRACEMALLOC_NFRAME", "", "65535"), ("TRACEMALLOC_NFRAME", "5x", "65535"),
    ("TRACEMALLOC_NFRAME", "99999999999999999999999", "65535"),
    ("TRACEMALLOC_START", "later", "python"), ("TRACEMALLOC_START", "NOW", "now"),
    ("TRACEMALLOC_EXACT", "yes", "1"), ("TRACEMALLOC_EXACT", "2", "1"), ("TRACEMALLOC_SLOW", "2", "1"),
    ("TRACEMALLOC_BLOCKS", "yes", "1"),
    ("TRACEMALLOC_SAMPLE", "512", "1KiB"), ("TRACEMALLOC_SAMPLE", "often", "1KiB"), ("TRACEMALLOC_SAMPLE", "2GiB", "1GiB"),
    ("TRACEMALLOC_MEMORY_LIMIT", "1MiB", "8MiB"), ("TRACEMALLOC_MEMORY_LIMIT", "much", "8MiB"), ("TRACEMALLOC_OUTPUT", "", "path"),
    ("TRACEMALLOC_OUTPUT", "x.%q.tms", "%p"), ("TRACEMALLOC_STORE", "", "folder"),
    ("TRACEMALLOC_INTERVAL", "0", "30s"), ("TRACEMALLOC_INTERVAL", "often", "30s"), ("TRACEMALLOC_KEEP", "0", "9999"),
    ("TRACEMALLOC_THRESHOLD", "1", "64KiB"), ("TRACEMALLOC_THRESHOLD", "10MB", "64KiB"),
    ("TRACEMALLOC_SIGNAL", "SEGV", "USR1"), ("TRACEMALLOC_FOLLOW", "threads", "fork"),
    ("TRACEMALLOC_NFRAMES", "25", "TRACEMALLOC_NFRAME"), ("TRACEMALLOC_OUTPT", "x", "TRACEMALLOC_OUTPUT"),
    ("TRACEMALLOC_STRAT", "now", "TRACEMALLOC_START"), ("TRACEMALLOC_EXCAT", "1", "TRACEMALLOC_EXACT"),
    ("TRACEMALLOC_STORES", "none", "TRACEMALLOC_STORE"),
)


class Tester(traced.Tester):
    def run(self, command=None, folder=None, **variables):
        variables.setdefault("LD_PRELOAD", self.options.library)
        return traced.run(command or [self.interpreter.path, PROGRAM], folder or self.folder.fresh(),
                          self.interpreter.environment(**variables))

    def limit(self, path):
        return traced.statistics(self.options.report, path)["snapshot"]["traceback_limit"]

    def wrong(self):
        plain = self.run(LD_PRELOAD="")
        for variable, value, right in WRONG:
            done = self.run(**{variable: value})
            what = "%s=%s" % (variable, value)
            message = done.stderr.decode(errors="replace")
            self.checks.equal((done.code, done.stdout), (plain.code, plain.stdout), what + ": code and stdout")
            self.checks.that(message.count("\n") == 1 and message.endswith("\n"), what + ": one line", message)
            self.checks.that(variable in message and right in message and "not tracing" in message, what + ": words", message)
            self.checks.equal(done.names(), [], what + ": files")
        done = self.run(["ls", "/"], TRACEMALLOC_NFRAMES="3")
        self.checks.equal((done.code, done.stderr), (0, b""), "a wrong option is not said where no Python runs")

    def narrow(self):
        """A process that may not have much memory keeps it."""
        plain = self.run(LD_PRELOAD="")
        done = self.run(["sh", "-c", 'ulimit -v 100000; ls / > /dev/null; exec "$0" "$1"', self.interpreter.path, PROGRAM])
        self.checks.equal((done.code, done.stdout), (plain.code, plain.stdout), "ulimit -v: code and stdout")
        self.checks.that(done.stderr.count(b"\n") == 1 and b"not tracing" in done.stderr, "ulimit -v: one line", done.stderr)
        self.checks.equal(done.names(), [], "ulimit -v: files")
        # A program that limits itself has what the limit leaves: the store gives its reservation back.
        done = self.run([self.interpreter.path, "-c", "import resource; resource.setrlimit(resource.RLIMIT_AS, (400 << 20,) * 2);"
                         "x = bytearray(150 << 20); print(len(x) >> 20)"])
        self.checks.equal((done.code, done.stdout, done.stderr), (0, b"150\n", b""), "setrlimit: the memory is there")
        self.checks.equal((len(done.snapshots()), done.stores()), (1, []), "setrlimit: files")

    def right(self):
        checks = self.checks
        for value in ("1", "25", "65535"):
            done = self.run(TRACEMALLOC_NFRAME=value)
            checks.equal((done.stderr, len(done.snapshots())), (b"", 1), "NFRAME=%s is accepted" % value)
            checks.equal([self.limit(path) for path in done.snapshots()], [int(value)], "NFRAME in the snapshot")
        done = self.run(TRACEMALLOC_OUTPUT="out.%p.%%.tms")
        checks.that(len(done.names()) == 1 and done.names()[0].startswith("out.") and done.names()[0].endswith(".%.tms"),
                    "OUTPUT with %p and %%", done.names())
        checks.that("%p" not in done.names()[0], "OUTPUT's %p is the pid", done.names())
        done = self.run(TRACEMALLOC_OUTPUT="%e_%h_%t_%n.tms")
        program = os.path.basename(os.path.realpath(self.interpreter.path))
        wanted = re.escape("%s_%s_" % (program, platform.node())) + r"\d{8}-\d{6}_0001\.tms$"
        checks.that(len(done.names()) == 1 and re.match(wanted, done.names()[0]), "OUTPUT with %e, %h, %t and %n",
                    (done.names(), wanted))
        folder = self.folder.fresh()
        self.run(folder=folder, TRACEMALLOC_OUTPUT="x.%n.tms")
        done = self.run(folder=folder, TRACEMALLOC_OUTPUT="x.%n.tms")
        checks.equal(done.names(), ["x.0001.tms", "x.0002.tms"], "OUTPUT with %n takes the next number")
        folder = self.folder.fresh()
        self.run(folder=folder, TRACEMALLOC_OUTPUT="x.%h.tms")
        done = self.run(folder=folder, TRACEMALLOC_OUTPUT="x.%h.tms")
        checks.equal(len(done.names()), 2, "OUTPUT with %h replaces nothing")
        done = self.run(TRACEMALLOC_OUTPUT="./")
        checks.that(len(done.snapshots()) == 1 and done.names()[0].startswith("tracemalloc."), "OUTPUT of a folder",
                    done.names())
        self.missing_folder()
        done = self.run(TRACEMALLOC_START="off")
        checks.equal((done.code, done.names()), (0, []), "START=off records nothing")
        done = self.run(TRACEMALLOC_STORE="none")
        checks.equal((done.stderr, len(done.snapshots()), done.stores()), (b"", 1, []), "STORE=none")
        store = self.folder.fresh("store")
        done = self.run([self.interpreter.path, "-c", "import os, sys\nprint(os.listdir(sys.argv[1]))", store],
                        TRACEMALLOC_STORE=store)
        checks.that(b".live" in done.stdout and os.listdir(store) == [], "STORE=DIR holds the store while it runs",
                    done.stdout)
        code = ("import os\nos.write(2, b'begins\\n')\npid = os.fork()\nx = [bytearray(100) for _ in range(1000)]\n"
                "if pid:\n    os.waitpid(pid, 0)")
        done = self.run([self.interpreter.path, "-c", code], TRACEMALLOC_STORE="nowhere")
        line = b"libtracemalloc: the live store stays in memory, a kill would leave nothing: no store can lie in the folder "
        checks.that(done.stderr.startswith(line) and done.stderr.endswith(b"/nowhere as it is now\nbegins\n") and
                    done.stderr.count(b"\n") == 2, "STORE of a missing folder is said once, at the beginning", done.stderr)
        checks.equal(len(done.snapshots()), 2, "and snapshots are written")
        done = self.run([self.interpreter.path, "-c", code], TRACEMALLOC_STORE="nowhere", TRACEMALLOC_START="python")
        checks.that(done.stderr.startswith(line) and done.stderr.count(b"\n") == 2, "also where tracing starts later",
                    done.stderr)
        done = self.run(TRACEMALLOC_VERBOSE="1")
        checks.that(done.stderr.count(b"\n") == 1 and b".tms" in done.stderr, "VERBOSE says what was written", done.stderr)

    def missing_folder(self):
        """Said at the beginning, by the first process alone: the program's end may be days away."""
        code = ("import os\nos.write(2, b'begins\\n')\npid = os.fork()\nx = [bytearray(100) for _ in range(1000)]\n"
                "if pid:\n    os.waitpid(pid, 0)\n    os.mkdir('new')")
        for store, words in (("none", b", and a kill would leave nothing"), (".", b"")):
            done = self.run([self.interpreter.path, "-c", code], TRACEMALLOC_OUTPUT="new/x.%p.tms", TRACEMALLOC_STORE=store)
            notice, begins, rest = done.stderr.partition(b"begins\n")
            self.checks.equal(done.code, 0, "a missing folder: code")
            self.checks.that(notice.startswith(b"libtracemalloc: no snapshot can be written to the folder /") and
                             notice.endswith(b"/new as it is now" + words + b"\n") and notice.count(b"\n") == 1,
                             "a missing folder is said at the beginning", done.stderr)
            self.checks.that(begins and rest.count(b"\n") == 1 and b"no such folder" in rest, "the child's own line", rest)
            self.checks.equal(len(os.listdir(os.path.join(done.folder, "new"))), 1, "the folder was made in time")

    def names(self):
        checks = self.checks
        python = self.interpreter.path
        folder = self.folder.fresh()
        first = self.run(folder=folder, TRACEMALLOC_OUTPUT="fixed.tms")
        with open(os.path.join(folder, "fixed.tms"), "wb") as stream:
            stream.write(b"old")
        self.run(folder=folder, TRACEMALLOC_OUTPUT="fixed.tms")
        checks.equal(first.names(), ["fixed.tms"], "a fixed name")
        checks.that(os.path.getsize(os.path.join(folder, "fixed.tms")) > 100, "a fixed name is replaced")
        # exec keeps the pid: an existing file is somebody's evidence.
        done = self.run(["sh", "-c", 'echo mine > tracemalloc.$$.tms; exec "%s" "%s"' % (python, PROGRAM)])
        checks.equal(len([name for name in done.names() if name.endswith("-2.tms")]), 1, "the name is taken: -2")
        kept = [name for name in done.names() if not name.endswith("-2.tms")]
        checks.that(len(kept) == 1 and open(os.path.join(done.folder, kept[0])).read() == "mine\n", "what was there stays",
                    done.names())
        done = self.run([python, "-c", "import os, sys\nx = [0] * 100000\nos.execv(sys.argv[1], sys.argv[1:])", python, PROGRAM])
        checks.that(len(done.snapshots()) == 1 and len(done.stores()) == 1, "exec leaves the old program's store",
                    done.names())
        checks.that(all(name.split(".")[-2].endswith("-2") for name in done.names() if name.endswith(".tms")),
                    "the new program takes the next name", done.names())
        done = self.run(TRACEMALLOC_OUTPUT="/no/such/folder/x.tms")
        checks.that(done.code == 0 and done.stderr.count(b"\n") <= 2, "a folder that is not there does no harm", done.stderr)
        checks.that(b"/no/such/folder" in done.stderr, "a folder that is not there is said", done.stderr)


def main():
    options = traced.arguments(__doc__).parse_args()
    chosen = traced.few(options, interpreters.select(options.pythons))
    return traced.on_groups(options, chosen, Tester, (Tester.wrong, Tester.narrow, Tester.right, Tester.names))


if __name__ == "__main__":
    sys.exit(main())
