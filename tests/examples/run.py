#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs each example under libtracemalloc and, unchanged, under the interpreter's own tracemalloc: the reports that the
example's text names are the same, line by line.

The stand-in that makes the example run under the stdlib makes and frees a few small objects of its own on the way, so
rows of less than 10 KiB are not compared here (tests/integration/parity.py compares every block).
"""
from __future__ import print_function

import difflib
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))

import environments
import interpreters
import traced

# example, limit, questions: (snapshots, options of tm-report, the same as stdlib code over `snapshots`)
EXAMPLES = (
    ("top10", 1, [(["exit"], ["-i", "PROGRAM", "-n", "10"], "top(OWN, 'lineno', 10)")]),
    ("differences", 1, [(["before", "after"], ["-i", "PROGRAM:17", "-n", "0"], "diff([Filter(True, program, 17)], 'lineno')")]),
    ("biggest_block", 25, [(["exit"], ["traceback", "-i", "PROGRAM", "-n", "1"], "traceback(OWN)")]),
    ("periodic_snapshots", 1, [
        (["snapshot-1", "snapshot-2"], ["-i", "PROGRAM:18", "-n", "0"], "diff([Filter(True, program, 18)], 'lineno')"),
        (["snapshot-1", "snapshot-4"], ["-i", "PROGRAM:18", "-n", "0"], "diff([Filter(True, program, 18)], 'lineno')"),
        (["snapshot-4"], ["-i", "PROGRAM:18"], "top([Filter(True, program, 18)], 'lineno')")]),
    ("clear", 1, [(["work"], ["-i", "PROGRAM:23", "-n", "0"], "top([Filter(True, program, 23)], 'lineno')")]),
    ("filters", 10, [
        (["exit"], ["-i", "*/filters.py", "-n", "0"], "top([Filter(True, '*/filters.py')], 'lineno')"),
        (["exit"], ["-I", "*/filters.py", "-X", "<frozen importlib*", "-x", "*/filters.py", "-g", "filename", "-n", "0"],
         "top([Filter(True, '*/filters.py', all_frames=True), Filter(False, '<frozen importlib*', all_frames=True),"
         " Filter(False, '*/filters.py')], 'filename')"),
        (["exit"], ["-i", "*/json/*", "-x", "*/json/encoder.py", "-n", "0"],
         "top([Filter(True, '*/json/*'), Filter(False, '*/json/encoder.py')], 'lineno')")]),
    ("numpy_arrays", 1, [(["exit"], ["-i", "PROGRAM", "-d", "all", "-n", "0"], "top(OWN, 'lineno')")]),
)

ANSWER = r"""
import sys
import tracemalloc
from tracemalloc import Filter
program = sys.argv[2]
snapshots = [tracemalloc.Snapshot.load(path) for path in sys.argv[3:]]
OWN = [Filter(True, program)]
def top(filters, key, limit=None):
    for row in snapshots[0].filter_traces(filters).statistics(key)[:limit]:
        print(row)
def diff(filters, key):
    for row in snapshots[1].filter_traces(filters).compare_to(snapshots[0].filter_traces(filters), key):
        print(row)
def traceback(filters):
    row = snapshots[0].filter_traces(filters).statistics("traceback")[0]
    print("%s memory blocks: %.1f KiB" % (row.count, row.size / 1024))
    print("\n".join(row.traceback.format()))
def pretty(filters):
    sys.path.insert(0, sys.argv[2])
    import pretty_top
    pretty_top.display_top([{"size": row.size, "traceback": [{"filename": row.traceback[0].filename,
        "lineno": row.traceback[0].lineno}]} for row in snapshots[0].filter_traces(filters).statistics("lineno")])
eval(sys.argv[1])
"""


class Tester(object):
    def __init__(self, options, checks, folder, interpreter, python):
        self.options, self.checks, self.folder = options, checks, folder
        self.interpreter, self.python = interpreter, python

    def run(self, example, limit, mode):
        folder = self.folder.fresh(mode.ljust(7, "_"))
        environment = self.interpreter.environment(
            TM_EXAMPLE=mode, PYTHONPATH=os.path.join(HERE, "standin"), TRACEMALLOC_START="python",
            TRACEMALLOC_NFRAME=str(limit), TRACEMALLOC_OUTPUT="exit.tms",
            TRACEMALLOC_EXACT="1" if self.interpreter.needs_exact else "0",
            LD_PRELOAD=self.options.library if mode == "library" else "")
        command = [self.python] + (["-X", "tracemalloc=%d" % limit] if mode == "stdlib" else [])
        done = traced.run(command + [path_of(example)], folder, environment)
        self.checks.equal((done.code, done.stderr), (0, b""), "%s under %s" % (example, mode))
        return done

    def answer(self, code, subject, dumps):
        done = traced.run([self.python, "-c", ANSWER, code, subject] + dumps, self.folder.path,
                          self.interpreter.environment())
        self.checks.equal((done.code, done.stderr), (0, b""), "the stdlib's answer")
        return done.stdout.decode()

    def compare(self, example, limit, questions):
        theirs, ours = self.run(example, limit, "stdlib"), self.run(example, limit, "library")
        self.checks.equal(ours.stdout, theirs.stdout, example + ": stdout")
        for names, options, code in questions:
            options = [option.replace("PROGRAM", path_of(example)) for option in options]
            text = traced.report(self.options.report, "--style=tracemalloc",
                                 *(options + [os.path.join(ours.folder, name + ".tms") for name in names]))
            expected = self.answer(code, path_of(example), [os.path.join(theirs.folder, name + ".dump") for name in names])
            self.same(text, expected, "%s, %s" % (example, " ".join(options[:3])))

    def pretty_top(self):
        theirs, ours = self.run("top10", 1, "stdlib"), self.run("top10", 1, "library")
        json = traced.report(self.options.report, "--format", "json", "--limit", "0", "--include", path_of("top10"),
                             os.path.join(ours.folder, "exit.tms"))
        text = subprocess.run([self.python, path_of("pretty_top")], input=json.encode(), stdout=subprocess.PIPE,
                              env=self.interpreter.environment()).stdout.decode()
        expected = self.answer("pretty([Filter(True, %r)])" % path_of("top10"), os.path.join(ROOT, "examples"),
                               [os.path.join(theirs.folder, "exit.dump")])
        self.same(text, expected, "pretty_top")

    def same(self, text, expected, what):
        found, wanted = ([line for line in one.splitlines() if is_compared(line)] for one in (text, expected))
        self.checks.that(wanted, what + ": the stdlib's answer is not empty")
        if not self.checks.that(found == wanted, what):
            for line in list(difflib.unified_diff(wanted, found, "stdlib", "tm-report", lineterm="", n=0))[:12]:
                print("    " + line)


def is_compared(line):
    """Rows in plain bytes are under 10 KiB; the sums of the pretty top hold them."""
    return line and not re.search(r"size=\d+ B|^\d+ other:|^Total allocated", line)


def path_of(example):
    return os.path.join(ROOT, "examples", example + ".py")


def main():
    options = traced.arguments(__doc__).parse_args()
    checks = traced.Checks()
    chosen = interpreters.select(options.pythons, python3_only=True)
    newest = environments.newest(chosen)
    with traced.Folder() as folder:
        for interpreter in chosen:
            checks.begin("%s examples" % interpreter.label)
            for example, limit, questions in EXAMPLES:
                python = interpreter.path
                if example == "numpy_arrays":
                    if interpreter is not newest:
                        continue
                    python, why = environments.prepare(newest, ("numpy",))
                    if python is None:
                        checks.skip(example, why)
                        continue
                Tester(options, checks, folder, interpreter, python).compare(example, limit, questions)
            Tester(options, checks, folder, interpreter, interpreter.path).pretty_top()
            checks.end()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
