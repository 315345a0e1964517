#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The largest tracebacks with machine frames of packages as people install them: the right Python line, and below it
functions of the right library; and of greenlets, whose stacks move.

The packages are those that the interpreter has, or that pip fetches into a folder that is removed at the end.
"""
import os
import re
import subprocess
import sys

import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "native", "wheels.py")
LARGEST = 10
# Package: what the file of a machine frame below the line matches, and names of functions in the order in which they
# call, as far as the wheel has them.
LIBRARIES = {
    "lxml": ("etree", ["xmlParseDocument", "xmlParseElement", "xmlSAX2"]),
    "orjson": ("orjson", []),
    "numpy": ("_multiarray_umath", []),
    "pandas": ("numpy|pandas", []),
}
GREENLETS = {
    900001: ["shallow", "wait", "take"],
    900002: ["deep"] * 4 + ["wait", "take"],
    900003: ["<module>", "by_greenlet", "take"],
    900004: ["<module>", "by_greenlet", "take"],
}


def is_python(frame):
    return frame["filename"] == PROGRAM and not frame.get("native")


def line_of(text):
    with open(PROGRAM) as program:
        return [number for number, line in enumerate(program, 1) if text in line][-1]


class Case(traced.Tester):
    def prepare(self, names):
        """Fetches what can be had of NAMES."""
        packages = self.folder.fresh("packages")
        command = [self.interpreter.path, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                   "--only-binary", ":all:", "--no-compile", "--target", packages]
        for name in names:  # one by one: not each has a wheel for each interpreter
            subprocess.run(command + [name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.variables = {"PYTHONPATH": packages}

    def has(self, name):
        return subprocess.run([self.interpreter.path, "-c", "import " + name], stderr=subprocess.DEVNULL,
                              env=self.interpreter.environment(**self.variables)).returncode == 0

    def rows(self, name, domains, *options):
        done = traced.run([self.interpreter.path, PROGRAM, name], self.folder.fresh(), self.interpreter.environment(
            LD_PRELOAD=self.options.library, TRACEMALLOC_NATIVE=domains, TRACEMALLOC_NFRAME="64", **self.variables))
        if not self.checks.equal((done.code, done.stderr), (0, b""), "%s: code and stderr" % name):
            return []
        found = traced.statistics(self.options.report, done.snapshots()[0], "traceback", *options)
        self.checks.equal(found["snapshot"].get("native_unmerged"), None, "%s: stacks that could not be merged" % name)
        return found["statistics"]

    def largest(self, name):
        """Each of the largest has its most recent frame of the program at the line, and then the library's."""
        library, functions = LIBRARIES[name]
        domains, options = ("native", ["--domain", "native"]) if functions else ("1", ["--no-symbols"])
        rows = self.rows(name, domains, *options)[:LARGEST]
        self.checks.equal(len(rows), LARGEST, "%s: tracebacks" % name)
        for row in rows:
            frames = row["traceback"]
            own = [i for i, frame in enumerate(frames) if is_python(frame)]
            lines = [frames[i]["lineno"] for i in own]
            what = "%s: %d bytes" % (name, row["size"])
            if row["size"] < rows[0]["size"] / 10:
                continue  # what importing it took
            self.checks.equal(lines[-1:], [line_of("# %s's" % name)], what + ", line")
            below = frames[own[-1] + 1:] if own else []
            self.checks.that(any(frame.get("native") and re.search(library, frame["filename"]) for frame in below),
                             what + ", library", below)
            named = [frame["function"] for frame in below if frame.get("native")]
            at = [next((i for i, found in enumerate(named) if found.startswith(wanted)), None) for wanted in functions]
            self.checks.that(None not in at and at == sorted(at), what + ", functions", named)

    def greenlets(self):
        """Python's frames are the greenlet's own, behind what started it and before what called malloc."""
        found = {row["size"]: row["traceback"] for row in self.rows("greenlet", "native", "--domain", "native", "--no-symbols")}
        for size, names in sorted(GREENLETS.items()):
            frames = found.get(size, [])
            own = [i for i, frame in enumerate(frames) if is_python(frame)]
            self.checks.equal([frames[i]["function"].split(".")[-1] for i in own], names, "Python's frames of %d" % size)
            if not own or names[0] == "<module>":
                continue
            self.checks.that(any(frame.get("native") and "greenlet" in frame["filename"] + frame["function"]
                                 for frame in frames[:own[0]]), "what started the greenlet of %d" % size, frames)
            self.checks.that(all(frame.get("native") for frame in frames[own[-1] + 1:]) and len(frames) > own[-1] + 1,
                             "what called malloc", frames)


def check(options, checks, folder, interpreter):
    case = Case(options, checks, folder, interpreter)
    case.variables = {}
    names = ["greenlet", "lxml", "orjson", "numpy"] + (["pandas"] if options.full else [])
    case.prepare([name for name in names if not case.has(name)])
    for name in names:
        if not case.has(name):
            checks.skip("%s %s" % (interpreter.label, name), "is not here, and pip has no wheel")
        elif name == "greenlet":
            case.greenlets()
        else:
            case.largest(name)


def main():
    options = traced.arguments(__doc__).parse_args()
    chosen = [one for one in interpreters.select(options.pythons) if one.version >= (3, 9) and not one.free_threaded]
    if not chosen or "built without elfutils" in traced.report(options.report, os.path.join(
            traced.ROOT, "tests", "golden", "v1-native.tms")):
        print("skipped: there is no interpreter of 3.9 or later, or tm-report was built without elfutils")
        return 77
    chosen = chosen if options.full or options.pythons else chosen[-1:]
    return traced.on_each(options, chosen, "wheels", check)


if __name__ == "__main__":
    sys.exit(main())
