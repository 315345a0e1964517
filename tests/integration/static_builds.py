#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""TRACEMALLOC_EXACT=1 on static builds of 3.8 to 3.12, which are linked here from the archives of the installed ones.

The figures are those of the stdlib (parity.py on them), what the program asks of its own tracemalloc is answered as
ever, and a build that cannot be listened to is told so in one line and runs on.
"""
import os
import subprocess
import sys

import interpreters
import static_python
import traced

OWN_TRACING = os.path.join(traced.ROOT, "tests", "hooks", "programs", "own_tracing.py")
PROGRAM = os.path.join(traced.HERE, "applications", "plain.py")
QUICK = ["--programs", "recycled,domains", "--limits", "1,25"]
NOTE = "recycled objects keep their first line"
SKIPPED = 77  # exit code


class Tester(object):
    def __init__(self, options, checks, folder):
        self.options, self.checks, self.folder = options, checks, folder

    def link(self, interpreter, exports=None):
        """The static build as an Interpreter, or None."""
        path, fault = static_python.link(interpreter, self.folder.fresh("build"), exports)
        if path is None:
            self.checks.skip("a static %s" % interpreter.label, traced.shorten(fault, 300))
            return None
        return interpreters.probe(path)[0]

    def run(self, build, program, **variables):
        return traced.run([build.path, "-S", program], self.folder.fresh(), build.environment(**variables))

    def exact(self, build, program):
        plain = self.run(build, program)
        done = self.run(build, program, LD_PRELOAD=self.options.library, TRACEMALLOC_EXACT="1")
        self.checks.equal((done.code, done.stdout), (plain.code, plain.stdout), "code and stdout")
        self.checks.equal(len(done.snapshots()), 1, "snapshots")
        report = "".join(traced.report(self.options.report, path) for path in done.snapshots())
        return done.stderr.decode(errors="replace"), plain.stderr.decode(errors="replace"), report

    def view(self, build):
        """What the program asks of its own tracemalloc."""
        self.checks.that(not build.shared and build.needs_exact, "the build is static", build.label)
        stderr, plain, report = self.exact(build, OWN_TRACING)
        self.checks.equal(stderr, plain, "stderr")
        self.checks.that(NOTE not in report, "recycled objects are seen", report)

    def declined(self, interpreter):
        build = self.link(interpreter, static_python.WITHOUT_TABLES)
        if build is None:
            return
        stderr, plain, report = self.exact(build, PROGRAM)
        said = stderr[len(plain):] if stderr.startswith(plain) else stderr
        self.checks.that(said.startswith("libtracemalloc: TRACEMALLOC_EXACT=1: ") and said.count("\n") == 1 and NOTE in said,
                         "one line says that it cannot be had", stderr)
        self.checks.that(NOTE in report, "the report says so", report)

    def parity(self, builds):
        command = [sys.executable, os.path.join(traced.HERE, "parity.py"), "--library", self.options.library,
                   "--report", self.options.report] + ([] if self.options.full else QUICK)
        done = subprocess.run(command, env=dict(os.environ, TM_PYTHONS=":".join(build.path for build in builds)),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = done.stdout.decode(errors="replace")
        self.checks.that(done.returncode == 0, "figures are the stdlib's", text[-3000:])
        if self.options.full:
            print(text)


def main():
    options = traced.arguments(__doc__).parse_args()
    options.report = os.path.abspath(options.report)
    checks = traced.Checks()
    builds = []
    with traced.Folder() as folder:
        tester = Tester(options, checks, folder)
        for interpreter in interpreters.select(options.pythons, python3_only=True):
            if not interpreter.shared or interpreter.debug or not (3, 8) <= interpreter.version < (3, 13):
                continue
            build = tester.link(interpreter)
            if build is None:
                continue
            builds.append(build)
            checks.begin("%s the program's view" % build.label)
            tester.view(build)
            checks.end()
            checks.begin("%s declined" % build.label)
            tester.declined(interpreter)
            checks.end()
        if builds:
            checks.begin("parity")
            tester.parity(builds)
            checks.end()
    if not builds and not checks.failed:
        print("skipped: no shared interpreter of 3.8 to 3.12 with a static library beside it")
        return SKIPPED
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
