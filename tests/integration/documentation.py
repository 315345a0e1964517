#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The programs of tracemalloc's documentation and of the usual tutorials: tm-report --style=tracemalloc prints the same
text, character for character, as the same interpreter's own module does for the same program.

Each program (documentation/*.py) runs once under each tracer; the stdlib's side prints by documentation/answer.py.
"""
from __future__ import print_function

import difflib
import json
import os
import platform
import shutil
import subprocess
import sys

import interpreters
import traced

PROGRAMS = os.path.join(traced.HERE, "documentation")
MEASURING = os.path.join(traced.HERE, "measuring")
MARKING = ["-X", "*marking.py"]
NOISE = [option for pattern in ("<frozen abc>", "*/abc.py", "*/_weakrefset.py", "<frozen importlib._bootstrap>",
                                "<frozen importlib._bootstrap_external>", "<unknown>")
         for option in ("-x", pattern)]

# An integer that holds an address takes 4 bytes more or less; where setarch is not there or not allowed it is left out.
FIXED_ADDRESSES = ["setarch", platform.machine(), "-R"]
if not shutil.which("setarch") or subprocess.call(FIXED_ADDRESSES + ["true"], stderr=subprocess.DEVNULL):
    FIXED_ADDRESSES = []

# question -> options of tm-report that ask the same; PROGRAM stands for the program's file
QUESTIONS = {
    "top": ["-i", "PROGRAM"],
    "files": ["-I", "PROGRAM", "-g", "filename"] + MARKING,
    "lines": ["-I", "PROGRAM"] + MARKING,
    "noise": NOISE + MARKING,
    "cumulative": ["-I", "PROGRAM", "--stdlib-cumulative"] + MARKING,
    "cumulative files": ["-I", "PROGRAM", "--stdlib-cumulative", "-g", "filename"] + MARKING,
    "tracebacks": ["-I", "PROGRAM", "-g", "traceback"] + MARKING,
    "biggest": ["-i", "PROGRAM", "traceback"],
}

# program, limit, what is asked of which snapshots
CASES = (
    ("top", 1, (("top", ["one"]), ("noise", ["one"]), ("files", ["one"]))),
    ("top", 25, tuple((question, ["one"])
                      for question in ("top", "lines", "files", "cumulative", "cumulative files", "tracebacks"))),
    ("three_lists", 1, tuple(("top", names)
                             for names in (["two"], ["one", "two"], ["two", "three"], ["three", "two"]))),
    ("differences", 1, tuple((question, ["one", "two"]) for question in ("top", "files"))),
    ("differences", 10, tuple((question, ["one", "two"]) for question in ("top", "lines", "tracebacks", "cumulative"))),
    ("biggest", 1, (("top", ["one"]), ("biggest", ["one"]))),
    ("biggest", 25, tuple((question, ["one"]) for question in ("top", "biggest", "tracebacks", "cumulative"))),
)


class Tester(traced.Tester):
    def __init__(self, *given):
        traced.Tester.__init__(self, *given)
        self.results = {}

    def run(self, program, limit, mode):
        """The folder with the snapshots of one run."""
        key = program, limit, mode
        if key not in self.results:
            result = self.folder.fresh(mode.ljust(7, "_"))
            environment = self.interpreter.environment(
                TM_MEASURE=mode, TM_RESULT=result, PYTHONPATH=MEASURING, TRACEMALLOC_START="python",
                TRACEMALLOC_NFRAME=str(limit), TRACEMALLOC_EXACT="1" if self.interpreter.needs_exact else "0",
                LD_PRELOAD=self.options.library if mode == "library" else "")
            xoption = "%s=%d" % ("tracemalloc" if mode == "stdlib" else "tracemallox", limit)
            done = traced.run(FIXED_ADDRESSES + [self.interpreter.path, "-S", "-X", xoption, os.path.join(PROGRAMS, program + ".py")],
                              self.folder.fresh(), environment)
            self.checks.equal((done.code, done.stderr), (0, b""), "%s under %s" % (program, mode))
            self.results[key] = result
        return self.results[key]

    def answers(self, program, limit, asked):
        """What the stdlib prints for each of ASKED (question, names of snapshots): by one process, which runs untraced."""
        theirs = self.run(program, limit, "stdlib")
        questions = [(question, [os.path.join(theirs, name) for name in names]) for question, names in asked]
        done = traced.run([self.interpreter.path, os.path.join(PROGRAMS, "answer.py"),
                           os.path.join(PROGRAMS, program + ".py"), json.dumps(questions)],
                          self.folder.path, self.interpreter.environment())
        self.checks.equal((done.code, done.stderr), (0, b""), "%s, limit %d: the stdlib's answers" % (program, limit))
        return json.loads(done.stdout.decode()) if done.code == 0 else [""] * len(asked)

    def compare(self, program, limit, names, question, expected):
        path = os.path.join(PROGRAMS, program + ".py")
        ours = self.run(program, limit, "library")
        options = [path if option == "PROGRAM" else option for option in QUESTIONS[question]]
        limit_rows = {"noise": "10", "biggest": "3"}.get(question, "0")
        text = traced.report(self.options.report, "--style=tracemalloc", "--limit", limit_rows,
                             *(options + [os.path.join(ours, name) for name in names]))
        what = "%s, limit %d, %s, %s" % (program, limit, " to ".join(names), question)
        self.checks.that(expected.strip() != "", what + ": the stdlib's answer")
        if not self.checks.that(same(text, expected), what):
            for line in list(difflib.unified_diff(expected.splitlines(), text.splitlines(), "stdlib", "tm-report",
                                                  lineterm="", n=0))[:12]:
                print("    " + line)


def same(text, expected):
    """Blank lines between tracebacks are no part of what the stdlib's example prints."""
    return [line for line in text.splitlines() if line] == [line for line in expected.splitlines() if line]


def main():
    options = traced.arguments(__doc__).parse_args()
    checks = traced.Checks()
    with traced.Folder() as folder:
        for interpreter in interpreters.select(options.pythons, python3_only=True):
            tester = Tester(options, checks, folder, interpreter)
            checks.begin("%s documentation" % interpreter.label)
            for program, limit, asked in CASES:
                for (question, names), expected in zip(asked, tester.answers(program, limit, asked)):
                    tester.compare(program, limit, names, question, expected)
            checks.end()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
