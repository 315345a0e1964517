#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""When the exit snapshot is taken, in programs that end in different ways; the header field exit_moment says which.

The moment is before modules are torn down wherever CPython lets it be seen: what the modules hold is in the snapshot.
"""
from __future__ import print_function

import os
import re
import signal
import subprocess
import sys

import interpreters
import traced

HOLD = "kept = [('%05d' % index) * 200 for index in range(3000)]\n"
AT_EXIT = "import atexit\natexit.register(lambda: kept.extend(('%06d' % index) * 200 for index in range(1000)))\n"
SEEN = ("finalization", "finalizing flag")

# What CPython asks to flush itself as the first thing of its end lets go of all after one small allocation.
LETS_GO = """import signal, sys
is_finalizing = getattr(sys, "is_finalizing", lambda: False)
class Small(object):
    __slots__ = ("a", "b", "c")
class Last(object):
    closed = False
    def flush(self):
        if is_finalizing():
            small = Small()
            del kept[:]
sys.stdout = Last()
signal.signal(signal.SIGINT, signal.SIG_IGN)
"""

# name, program, environment of the run, allowed moments, must the module's objects be there
CASES = (
    ("plain", HOLD, {}, SEEN[:1], True),
    ("exit handler runs before", HOLD + AT_EXIT, {}, SEEN[:1], True),
    ("SIGINT handler replaced", "import signal\nsignal.signal(signal.SIGINT, lambda *_: None)\n" + HOLD, {}, SEEN, True),
    ("SIGINT default", "import signal\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\n" + HOLD, {}, SEEN, True),
    ("SIGINT ignored by itself", "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n" + HOLD, {}, SEEN, True),
    ("a small block first of all", HOLD + LETS_GO, {}, SEEN, True),
    ("a small block first of all, sampled", HOLD + LETS_GO, {"TRACEMALLOC_SAMPLE": "1KiB"}, SEEN, True),
    ("sys.exit", HOLD + "import sys\nsys.exit(3)\n", {}, SEEN[:1], True),
    ("uncaught", HOLD + "raise ValueError\n", {}, SEEN[:1], True),
    ("os._exit", HOLD + "import os\nos._exit(0)\n", {}, ("_exit",), True),
    ("abort", HOLD + "import os\nos.abort()\n", {}, (), True),
    ("C exit", HOLD + "import ctypes\nctypes.CDLL(None).exit(0)\n", {}, ("destructor",), True),
    ("C quick_exit", HOLD + "import ctypes\nctypes.CDLL(None).quick_exit(0)\n", {}, ("quick_exit",), True),
    ("thread left behind", HOLD + "import threading, time\nthread = threading.Thread(target=time.sleep, args=(60,))\n"
     "thread.daemon = True\nthread.start()\n", {}, SEEN[:1], True),
    ("start=python", HOLD, {"TRACEMALLOC_START": "python"}, SEEN[:1], True),
)


class Tester(traced.Tester):
    def run(self, command, **options):
        environment = options.pop("environment", {})
        return traced.run(command, self.folder.fresh(),
                          self.interpreter.environment(LD_PRELOAD=self.options.library, **environment), **options)

    def check(self, name, done, moments, held):
        checks = self.checks
        if not moments:
            checks.equal((len(done.snapshots()), len(done.stores())), (0, 1), name + ": only the store is left")
            return
        checks.equal((len(done.snapshots()), len(done.stores())), (1, 0), name + ": files")
        for path in done.snapshots():
            answer = traced.statistics(self.options.report, path, "lineno")
            moment = answer["snapshot"].get("exit_moment")
            checks.that(moment in moments, name + ": exit_moment", "%r, allowed %r" % (moment, moments))
            largest = max([row["size"] for row in answer["statistics"]] or [0])
            if held:
                least = 3000 * 900 if answer["snapshot"].get("sample_rate") else 3000 * 1000
                checks.that(largest >= least, name + ": the module's objects are in it", largest)

    def cases(self):
        for name, program, environment, moments, held in CASES:
            done = self.run([self.interpreter.path, "-c", program], environment=environment)
            self.check(name, done, moments, held)
            if name == "exit handler runs before":
                for path in done.snapshots():
                    rows = traced.statistics(self.options.report, path, "lineno")["statistics"]
                    self.checks.that(sum(1 for row in rows if row["size"] > 1000 * 1000) >= 2,
                                     "what exit handlers allocate is in it")
        # The shell's "&" and nohup start programs with SIGINT ignored.
        ignore = lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)
        for start in ("now", "python"):
            done = self.run([self.interpreter.path, "-c", HOLD], environment={"TRACEMALLOC_START": start}, preexec_fn=ignore)
            self.check("SIGINT ignored from outside, START=%s" % start, done, SEEN + ("destructor",), True)

    def embedded(self):
        binary = os.path.join(self.folder.fresh("embedded"), "embedded")
        why = build(self.interpreter, binary)
        if why:
            self.checks.skip("%s embedded" % self.interpreter.label, why)
            return
        library_path = {"LD_LIBRARY_PATH": config(self.interpreter, "LIBDIR"),
                        "PYTHONHOME": prefix(self.interpreter)}
        for rounds in ("1", "2", "3"):
            plain = traced.run([binary, rounds], self.folder.fresh(), self.interpreter.environment(**library_path))
            done = self.run([binary, rounds], environment=library_path)
            name = "embedded, %s rounds" % rounds
            self.checks.equal((done.code, done.stdout, done.stderr), (plain.code, plain.stdout, plain.stderr), name)
            self.check(name, done, SEEN + ("destructor",), True)


def config(interpreter, name):
    return subprocess.check_output([interpreter.path, "-c", "import sysconfig, sys\n"
                                    "sys.stdout.write(str(sysconfig.get_config_var(sys.argv[1]) or ''))", name]).decode()


def prefix(interpreter):
    return subprocess.check_output([interpreter.path, "-c", "import sys; sys.stdout.write(sys.prefix)"]).decode()


def build(interpreter, binary):
    """Compiles embedded.c; None or why not."""
    include = subprocess.check_output([interpreter.path, "-c", "import sysconfig, sys\n"
                                       "sys.stdout.write(sysconfig.get_paths()['include'])"]).decode()
    if not os.path.exists(os.path.join(include, "Python.h")):
        return "no headers in " + include
    name = re.sub(r"^lib|\.(so|a).*$", "", config(interpreter, "LDLIBRARY"))
    libraries = (config(interpreter, "LIBS") + " " + config(interpreter, "SYSLIBS")).split()
    command = ["gcc", "-w", "-o", binary, os.path.join(traced.HERE, "embedded.c"), "-I" + include,
               "-L" + config(interpreter, "LIBDIR"), "-l" + name] + libraries
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return None if done.returncode == 0 else traced.shorten(done.stdout.decode(errors="replace"), 200)


def main():
    options = traced.arguments(__doc__).parse_args()
    return traced.on_groups(options, interpreters.select(options.pythons), Tester, (Tester.cases, Tester.embedded))


if __name__ == "__main__":
    sys.exit(main())
