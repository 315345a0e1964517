#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The parts of python_suite.py by themselves: what it reads, when it gives a module up, where it goes on, and that the
script for Debian is left out where no mirror can be reached."""
import os
import signal
import sys
import time

import python_suite
import traced
from python_suite_record import Record, Result
from python_suite_results import WHOLE, module_end, read_printed

# As 2.7 prints: a docstring, a skip, output of the test itself in between, a failure that is told at the end.
PRINTED = """test_fine (test.test_x.First) ... ok
test_told (test.test_x.First)
What it does. ... ok
test_left (test.test_x.First) ... skipped 'no such thing'
test_loud (test.test_x.Second) ... a line
of its own
ok
test_bad (test.test_x.Second) ... FAIL

======================================================================
FAIL: test_bad (test.test_x.Second)
----------------------------------------------------------------------
Traceback (most recent call last):
AssertionError: 1 != 2

----------------------------------------------------------------------
Ran 5 tests in 0.1s
"""
OUTCOMES = {"test.test_x.First.test_fine": "passed", "test.test_x.First.test_told": "passed",
            "test.test_x.First.test_left": "skipped", "test.test_x.Second.test_loud": "passed",
            "test.test_x.Second.test_bad": "failed"}
# Its child leaves the session and keeps stdout.
STAYS = "import subprocess, sys; print(subprocess.Popen(['sleep', '60'], start_new_session=True).pid)"


def read(checks, _):
    outcomes, details = read_printed(PRINTED)
    checks.equal(outcomes, OUTCOMES, "the outcomes that 2.7 prints")
    checks.that("AssertionError: 1 != 2" in details["test.test_x.Second.test_bad"], "the traceback is kept")
    checks.equal(module_end("exit code 0", {}, "test_x skipped -- no tk\n1 test skipped:"), "skipped", "skipped whole")
    checks.equal(module_end("exit code 4", {}, "Result: NO TESTS RAN\ntest_x skipped"), "skipped", "skipped whole, 3.12")
    checks.equal(module_end("exit code 0", OUTCOMES, "1 test skipped"), "passed", "passed, with a method skipped")
    checks.equal(module_end("exit code 2", {}, "skipped"), "exit code 2", "failed")


def ended(checks, folder):
    """A module that hangs is given up; a process that it left with its stdout is not waited for."""
    begin = time.time()
    end, text = python_suite.finish([sys.executable, "-c", STAYS], folder, dict(os.environ), 50)
    os.kill(int(text), 9)
    checks.equal(end, "exit code 0", "how the one with a child ended")
    end = python_suite.finish(["sleep", "60"], folder, dict(os.environ), 1)[0]
    checks.equal(end, "not done after 1 seconds", "how the one that hangs ended")
    checks.that(time.time() - begin < 50, "neither was waited for", "%.0f s" % (time.time() - begin))


def given_up(checks, _):
    """One that was given up on one side differs as a whole, until both sides have a run that came to its end."""
    def ran(**outcomes):
        return Result(dict(outcomes, **{WHOLE: outcomes.pop("whole")}), {}, [], 1, [], 1.0)
    fine, bad, late = ran(whole="passed", a="passed"), ran(whole="exit code 2", a="failed"), ran(whole="not done after 9 seconds")
    checks.equal(python_suite.differing([fine], [late]), {WHOLE}, "given up on one side")
    checks.equal(python_suite.differing([late], [late]), set(), "given up on both")
    checks.equal(python_suite.differing([fine, fine], [late, fine]), set(), "it came to its end at last")
    checks.equal(python_suite.differing([fine, fine], [late, bad]), {"a"}, "and with another outcome")


def heeded(checks, folder):
    """A program that nohup starts starts tests that heed SIGHUP, and heeds it itself no more than before."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    python_suite.heed_signals()
    os.kill(os.getpid(), signal.SIGHUP)
    asks = "import signal; print(signal.getsignal(signal.SIGHUP) == signal.SIG_DFL)"
    text = python_suite.finish([sys.executable, "-c", asks], folder, dict(os.environ), 50)[1]
    signal.signal(signal.SIGHUP, before)
    checks.equal(text.strip(), "True", "SIGHUP is as the tests expect it")


def recorded(checks, folder):
    """What is in the record does not run again; half a line at its end, of a run that was killed, does."""
    path, library = os.path.join(folder, "record"), os.path.join(folder, "library")
    with open(library, "w") as stream:
        stream.write("one")
    result = Result({"a": "passed"}, {}, [], 2, [], 1.5)
    first = Record(path, library)
    first.add("3.13.0", "test_x", False, result)
    first.add("3.13.0", "test_x", True, result)
    with open(path) as stream:
        whole = stream.read()
    with open(path, "w") as stream:
        stream.write(whole[:-20])
    second = Record(path, library)
    checks.equal(second.of("3.13.0", "test_x", False), [result], "the run of before")
    checks.equal(second.of("3.13.0", "test_x", True), [], "the run of half a line")
    second.add("3.13.0", "test_x", True, result)
    checks.equal(Record(path, library).of("3.13.0", "test_x", True), [result], "the run that replaced it")
    with open(library, "w") as stream:
        stream.write("another")
    try:
        Record(path, library)
        refused = ""
    except ValueError as error:
        refused = str(error)
    checks.that("another library" in refused, "a record of another library is refused", refused)


def offline(checks, folder):
    if os.getuid():
        checks.skip("offline", "not root")
        return
    script = os.path.join(traced.HERE, "python_suite_debian.sh")
    done = traced.run(["sh", script, "library", "report"], folder, dict(
        os.environ, TM_DEBIAN_MIRROR="http://127.0.0.1:9/debian", TM_DEBIAN_ROOTS=""))
    checks.equal(done.code, 77, "the exit code without a mirror")
    checks.that(b"left out" in done.stdout, "it says so", repr(done.stdout))


def main():
    traced.arguments(__doc__).parse_args()
    checks = traced.Checks()
    with traced.Folder() as folder:
        for group in (read, ended, given_up, heeded, recorded, offline):
            checks.begin(group.__name__)
            group(checks, folder.fresh())
            checks.end()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
