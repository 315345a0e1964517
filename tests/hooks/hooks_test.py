#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The doors on real interpreters: are CPython's hooks kept, and put back on top, whatever its start does to them?

    python3 tests/hooks/hooks_test.py --library LIB --dump SNAPSHOT_DUMP [--pythons 3.6,3.13] [--only NAME] [--full]

Each case runs a program plain and preloaded: stdout, stderr and exit code must be the same, and the snapshot must
count the program's known blocks on their line, byte for byte.  The quick selection takes every interpreter with the
cases that differ most between releases.
"""
from __future__ import print_function

import argparse
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
import interpreters  # noqa: E402
import traced  # noqa: E402

BLOCKS = os.path.join(HERE, "programs", "blocks.py")
BLOCKS_LINE = 9


class Snapshot(object):
    """What snapshot_dump prints: facts by name, and (domain, last frame) to [live bytes, live blocks]."""

    def __init__(self, dump, path):
        self.facts, self.lines, self.domains = {}, {}, {}
        text = subprocess.run([dump, path], stdout=subprocess.PIPE, check=True).stdout.decode(errors="replace")
        for line in text.splitlines():
            fields = line.split("\t")
            if fields[0] == "meta":
                self.facts.setdefault(fields[1], fields[2])
                continue
            domain, size, count = fields[1], int(fields[2]), int(fields[3])
            place = fields[6].rstrip(",").split(",")[-1]
            for key, sums in ((place, self.lines), (None, self.domains)):
                sum_ = sums.setdefault((domain, key), [0, 0])
                sum_[0] += size
                sum_[1] += count

    def on_line(self, domain, line):
        """Live (bytes, blocks) whose most recent frame is at LINE of a file of that name."""
        sums = [0, 0]
        for (one, place), (size, count) in self.lines.items():
            name, _, number = place.rpartition(":")
            if one == domain and os.path.basename(name) + ":" + number == line:
                sums[0] += size
                sums[1] += count
        return tuple(sums)


class Cases(object):
    def __init__(self, options):
        self.options = options
        self.failures = 0
        self.passed = 0

    def check(self, name, holds, text):
        if holds:
            self.passed += 1
        else:
            self.failures += 1
            print("FAILED %s: %s" % (name, text))

    def run(self, name, command, **variables):
        """Plain and traced; the traced run's snapshots, oldest name first."""
        base = interpreters.Interpreter.environment(None)
        base.update({key: value for key, value in variables.items() if not key.startswith("TRACEMALLOC_")})
        with traced.Folder() as folder:
            plain = traced.run(command, folder, dict(base), preexec_fn=variables.get("preexec"))
        with traced.Folder() as folder:
            library = variables.get("LD_PRELOAD", "")
            base["LD_PRELOAD"] = " ".join(filter(None, [self.options.library, library]))
            base.update({key: value for key, value in variables.items() if key.startswith("TRACEMALLOC_")})
            run = traced.run(command, folder, base)
            self.check(name, (run.code, run.stdout, run.stderr) == (plain.code, plain.stdout, plain.stderr),
                       "differs from the plain run: %r instead of %r" %
                       ((run.code, run.stdout[-300:], run.stderr[-300:]),
                        (plain.code, plain.stdout[-300:], plain.stderr[-300:])))
            self.check(name, not run.stores(), "a store was left: %s" % run.names())
            return [Snapshot(self.options.dump, path) for path in run.snapshots()], run

    def blocks(self, name, command, domain="obj", moment="finalization", count=1, **variables):
        """The known blocks of programs/blocks.py are all there, once, on their line."""
        snapshots, run = self.run(name, command, **variables)
        if len(snapshots) < count:
            return self.check(name, False, "%d snapshots: %r" % (len(snapshots), run.names()))
        wanted_count, wanted_size = map(int, run.stdout.split()[:2])
        for snapshot in snapshots[:count]:
            size, blocks = snapshot.on_line(domain, "blocks.py:%d" % BLOCKS_LINE)
            self.check(name, blocks == wanted_count and size == wanted_size,
                       "%d blocks of %d bytes on the line, not %d of %d" % (blocks, size, wanted_count, wanted_size))
            self.check(name, snapshot.facts.get("hook_losses") == "0", "hooks lost: %s" % snapshot.facts)
            self.check(name, snapshot.facts.get("exit_moment") == moment,
                       "exit moment is %s" % snapshot.facts.get("exit_moment"))
        return None


def allocator_cases(cases, python):
    """CPython's start resets the allocators in all these modes."""
    label, path = python.label, python.path
    modes = [("default", {}, []), ("C locale", {"LC_ALL": "C"}, []), ("isolated", {}, ["-I"] if python.version[0] > 2 else [])]
    if python.version[0] > 2:
        allocators = ["malloc", "malloc_debug", "debug", "pymalloc", "pymalloc_debug"]
        allocators += ["default"] if python.version >= (3, 7) else []
        allocators += ["mimalloc"] if python.free_threaded else []
        for allocator in allocators:
            modes.append((allocator, {"PYTHONMALLOC": allocator}, []))
            modes.append((allocator + " C", {"PYTHONMALLOC": allocator, "LC_ALL": "C"}, []))
        modes.append(("tracemalloc", {"PYTHONTRACEMALLOC": "3"}, []))
        modes.append(("tracemalloc debug", {"PYTHONTRACEMALLOC": "1", "PYTHONMALLOC": "debug"}, []))
    if python.version >= (3, 7):
        modes += [("-X dev", {}, ["-X", "dev"]), ("PYTHONDEVMODE", {"PYTHONDEVMODE": "1"}, []),
                  ("-X utf8", {"LC_ALL": "C"}, ["-X", "utf8=1"])]
    for mode, variables, arguments in modes:
        cases.blocks("%s %s" % (label, mode), [path] + arguments + [BLOCKS], **variables)


GROUPS = {"allocators": allocator_cases}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True)
    parser.add_argument("--dump", required=True)
    parser.add_argument("--pythons", default="")
    parser.add_argument("--only", default="")
    parser.add_argument("--full", action="store_true", default=os.environ.get("TM_FULL") == "1")
    options = parser.parse_args()
    options.library = os.path.abspath(options.library)
    cases = Cases(options)
    for python in interpreters.select(options.pythons):
        for name, group in GROUPS.items():
            if name.startswith(options.only):
                group(cases, python)
    print("%d checks held, %d failed" % (cases.passed, cases.failures))
    return 1 if cases.failures or not cases.passed else 0


if __name__ == "__main__":
    sys.exit(main())
