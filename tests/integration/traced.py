# SPDX-License-Identifier: MIT
"""What the python-driven tests share: running a program traced or not, reading tm-report, counting checks."""
from __future__ import print_function

import argparse
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def arguments(description):
    """The command line that every test has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", default=os.environ.get("TM_LIBRARY"), type=os.path.abspath, help="libtracemalloc.so")
    parser.add_argument("--report", default=os.environ.get("TM_REPORT"), help="tm-report")
    parser.add_argument("--pythons", default="", help="labels of interpreters, e.g. 3.8,3.11.2-static (default: all)")
    parser.add_argument("--full", action="store_true", default=os.environ.get("TM_FULL") == "1",
                        help="everything, not the quick selection (or TM_FULL=1)")
    return parser


SKIPPED = 77  # what ctest knows it by

# A shell starts what stands before "&" with SIGINT ignored; programs begin and end by other doors then.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Run(object):
    """What a finished program left: exit code (negative: signal), stdout and stderr as bytes, its folder."""

    def __init__(self, code, stdout, stderr, folder):
        self.code, self.stdout, self.stderr, self.folder = code, stdout, stderr, folder

    def snapshots(self):
        return sorted(glob.glob(os.path.join(self.folder, "*.tms")))

    def stores(self):
        return sorted(glob.glob(os.path.join(self.folder, "*.live")))

    def names(self):
        return sorted(os.listdir(self.folder))


def run(command, folder, environment, timeout=300, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               **options)
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
        stderr += b"\n(killed by the test: not done after %d seconds)" % timeout
    return Run(process.returncode, stdout, stderr, folder)


def report(tool, *options):
    """The text that tm-report prints; an error is an exception with its message."""
    done = subprocess.run([tool] + list(options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    if done.returncode:
        raise RuntimeError("%s: exit code %d: %s" % (" ".join([tool] + list(options)), done.returncode,
                                                     done.stderr.decode(errors="replace").strip()))
    return done.stdout.decode(errors="surrogateescape")


def statistics(tool, snapshot, group_by="traceback", *options):
    """tm-report's JSON, whole."""
    return json.loads(report(tool, "--format", "json", "--group-by", group_by, "--limit", "0",
                             *(list(options) + [snapshot])))


class Folder(object):
    """A temporary folder, removed at the end unless TM_KEEP is set."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="tm-test-")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not os.environ.get("TM_KEEP"):
            shutil.rmtree(self.path, ignore_errors=True)

    def fresh(self, name="run"):
        return tempfile.mkdtemp(prefix=name + "-", dir=self.path)


class Checks(object):
    """Counts what holds and what does not; prints a line for each failure and one per group."""

    def __init__(self):
        self.held = self.failed = self.skipped = 0
        self.group_failed = self.group_held = 0
        self.name = ""

    def begin(self, name):
        self.name, self.group_failed, self.group_held = name, 0, 0

    def end(self):
        print("%-6s %s (%d checks)" % ("ok" if not self.group_failed else "FAILED", self.name,
                                       self.group_failed + self.group_held))
        sys.stdout.flush()

    def that(self, holds, what, detail=""):
        if holds:
            self.held += 1
            self.group_held += 1
        else:
            self.failed += 1
            self.group_failed += 1
            print("  FAILED %s: %s%s" % (self.name, what, ": " + shorten(detail) if detail != "" else ""))
        return holds

    def equal(self, found, expected, what):
        return self.that(found == expected, what, "found %r, expected %r" % (found, expected))

    def skip(self, what, why):
        self.skipped += 1
        print("skip   %s: %s" % (what, why))

    def finish(self):
        """The exit code; SKIPPED: everything was."""
        print("%d checks held, %d failed, %d skipped" % (self.held, self.failed, self.skipped))
        if self.skipped and not (self.held or self.failed):
            return SKIPPED
        return 1 if self.failed or not self.held else 0


class Tester(object):
    """What a test with one interpreter has at hand; its groups of checks are methods."""

    def __init__(self, options, checks, folder, interpreter):
        self.options, self.checks, self.folder, self.interpreter = options, checks, folder, interpreter

    def prepare(self, is_one_of_few):
        """Of all interpreters before the first group: begins what waits more than it works."""


def few(options, chosen):
    """The oldest and the newest of CHOSEN, unless more were asked for."""
    return chosen if options.full or options.pythons else chosen[:1] + chosen[-1:]


def on_each(options, chosen, name, *parts):
    """One group of checks per interpreter: each of PARTS(options, checks, folder, interpreter).  The exit code."""
    checks = Checks()
    with Folder() as folder:
        for interpreter in chosen:
            checks.begin("%s %s" % (interpreter.label, name))
            for part in parts:
                part(options, checks, folder, interpreter)
            checks.end()
    return checks.finish()


def on_groups(options, chosen, tester_class, groups, with_few=()):
    """A group of checks for each interpreter and method of GROUPS, of WITH_FEW too on those that few() leaves.  The exit
    code."""
    checks = Checks()
    with Folder() as folder:
        testers = [tester_class(options, checks, folder, interpreter) for interpreter in chosen]
        for tester in testers:
            tester.prepare(tester.interpreter in few(options, chosen))
        for tester in testers:
            for group in groups + (with_few if tester.interpreter in few(options, chosen) else ()):
                checks.begin("%s %s" % (tester.interpreter.label, group.__name__))
                group(tester)
                checks.end()
    return checks.finish()


def shorten(detail, limit=600):
    text = detail if isinstance(detail, str) else repr(detail)
    return text if len(text) <= limit else text[:limit // 2] + " ... " + text[-limit // 2:]
