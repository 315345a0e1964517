#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs run under LD_PRELOAD as they run without: same stdout, stderr, exit code and files.

Where a Python ran there is a snapshot, it loads, names the right interpreter, and its largest line is the one marked
`# top` in the program; where none ran there is none.  No `.live` is left after an end in order.
"""
from __future__ import print_function

import os
import re
import shutil
import subprocess
import sys

import environments
import interpreters
import traced

APPLICATIONS = os.path.join(traced.HERE, "applications")
TIMES = re.compile(rb"in \d+\.\d+s")


def application(name):
    return os.path.join(APPLICATIONS, name + ".py")


def marked_line(path, mark="# top"):
    with open(path) as stream:
        for number, line in enumerate(stream, 1):
            if line.rstrip().endswith(mark):
                return number
    raise LookupError("%s has no line marked %s" % (path, mark))


class Case(object):
    """One command, with what is expected of it.

    program      the script with the `# top` line, None: not looked at
    snapshots    how many are left at least: one per Python process
    stores       how many `.live` files are left; None: not looked at
    """

    def __init__(self, name, command, program=None, snapshots=1, stores=0, environment=None, check=None):
        self.name, self.command, self.program = name, command, program
        self.snapshots, self.stores = snapshots, stores
        self.environment = environment or {}
        self.check = check


class Tester(object):
    def __init__(self, options, checks, folder):
        self.options, self.checks, self.folder = options, checks, folder

    def run_case(self, interpreter, case):
        checks = self.checks
        checks.begin("%s %s" % (interpreter.label if interpreter else "-", case.name))
        host = interpreter or interpreters.Interpreter("", dict(version=[], shared=1, debug=0, free_threaded=0,
                                                                interposable=1, tracemalloc=1))
        plain = traced.run(case.command, self.folder.fresh("plain"), host.environment(**case.environment))
        done = traced.run(case.command, self.folder.fresh("traced"),
                          host.environment(LD_PRELOAD=self.options.library, **case.environment))
        checks.equal(done.code, plain.code, "exit code")
        checks.equal(TIMES.sub(b"", done.stdout), TIMES.sub(b"", plain.stdout), "stdout")
        checks.equal(TIMES.sub(b"", done.stderr), TIMES.sub(b"", plain.stderr), "stderr")
        ours = set(map(os.path.basename, done.snapshots() + done.stores()))
        checks.equal(set(done.names()) - ours, set(plain.names()), "files left beside ours")
        if case.stores is not None:
            checks.equal(len(done.stores()), case.stores, "stores left")
        if case.snapshots:
            checks.that(len(done.snapshots()) >= case.snapshots, "snapshots left",
                        "%d, expected %d" % (len(done.snapshots()), case.snapshots))
        else:
            checks.equal(done.snapshots(), [], "snapshots of a run without Python")
        for path in done.snapshots():
            self.check_snapshot(interpreter, case, path)
        if case.program and case.snapshots:
            tops = [self.top(path) for path in done.snapshots()]
            checks.that((case.program, marked_line(case.program)) in tops, "the largest line is the marked one", tops)
        if case.check:
            case.check(self, done)
        checks.end()

    def statistics(self, path, group_by="lineno", *options):
        return traced.statistics(self.options.report, path, group_by, *options)

    def check_snapshot(self, interpreter, case, path):
        answer = self.statistics(path)
        snapshot = answer["snapshot"]
        self.checks.that(interpreter is None or (snapshot.get("python") or "").startswith(
            ".".join(map(str, interpreter.version))), "interpreter in the snapshot", snapshot.get("python"))
        current, peak = snapshot["traced"]["current"], snapshot["traced"]["peak"]
        total = sum(row["size"] for row in answer["statistics"])
        self.checks.that(current <= peak and abs(total - current) <= 65536, "totals agree",
                         "rows %d, current %d, peak %d" % (total, current, peak))
        self.checks.that(all(row["size"] >= 0 and row["count"] > 0 for row in answer["statistics"]), "rows are sane")

    def top(self, path):
        rows = self.statistics(path)["statistics"]
        return place(rows[0]) if rows else None


def exact_size(tester, done):
    """The marked line holds exactly the blocks that the program says: in every form of PYTHONMALLOC the user's size."""
    program = application("plain")
    count, size = map(int, re.findall(rb"made (\d+) of (\d+)", done.stdout)[0])
    rows = tester.statistics(done.snapshots()[0])["statistics"] if done.snapshots() else []
    found = [(row["size"], row["count"]) for row in rows if place(row) == (program, marked_line(program))]
    tester.checks.equal(found, [(count * size, count)], "blocks of the marked line")


def place(row):
    frame = row["traceback"][-1] if row["traceback"] else {"filename": "", "lineno": 0}
    return frame["filename"], frame["lineno"]


def python_cases(interpreter, full):
    python = interpreter.path
    modern = interpreter.version >= (3,)

    def case(name, *command, **options):
        program = application(name)
        return Case(options.pop("label", name), [python] + list(command or [program]), program, **options)

    yield case("plain", check=exact_size)
    yield case("eight_threads")
    yield case("os_exit")
    yield case("uncaught")
    yield case("exit_code")
    yield case("interrupted")
    yield case("killed", snapshots=0, stores=1)
    yield case("os_fork", snapshots=2)
    # 2.7's subprocess runs Python in the child until exec replaces it, which leaves the child's store as it is.
    yield case("subprocesses", snapshots=2, stores=0 if modern else None)
    yield case("several_processes", application("several_processes"), "fork", label="multiprocessing fork", snapshots=4)
    if modern:
        yield case("several_processes", application("several_processes"), "spawn", label="multiprocessing spawn",
                   snapshots=4)
        for allocator in ("malloc", "debug", "pymalloc", "malloc_debug", "pymalloc_debug"):
            yield case("plain", label="PYTHONMALLOC=" + allocator, environment={"PYTHONMALLOC": allocator},
                       check=exact_size)
        if interpreter.version >= (3, 7):
            yield case("plain", "-X", "dev", application("plain"), label="-X dev", check=exact_size)
            yield case("plain", label="PYTHONDEVMODE", environment={"PYTHONDEVMODE": "1"})
    yield case("plain", label="LC_ALL=C", environment={"LC_ALL": "C"})
    modules = ["test_textwrap", "test_copy"]
    if full: # those that print what is by chance, or kill their children, are python_suite.py's
        modules += ["test_json", "test_generators", "test_gc"] + (["test_coroutines"] if modern else [])
    for module in modules:
        if has_test(interpreter, module):
            yield Case("unittest " + module, [python, "-m", "unittest", "test." + module])
    if subprocess.call([python, "-c", "import pip"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
        yield Case("pip list", [python, "-m", "pip", "list", "--disable-pip-version-check"])


def has_test(interpreter, module):
    return subprocess.call([interpreter.path, "-c", "import test." + module], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) == 0


def other_cases():
    """Programs that are no Python."""
    yield Case("ls", ["ls", "-la", "/etc"], snapshots=0)
    yield Case("shell script", ["sh", "-c", "for i in 1 2 3; do echo $i | cat; done; ls / | sort | head -3; exit 5"],
               snapshots=0)
    yield Case("gcc", ["gcc", "-O2", "-Wall", "-o", "out", os.path.join(traced.HERE, "small.c"), "-lm"], snapshots=0)
    if shutil.which("git"):
        yield Case("git", ["sh", "-c", "git init -q repo && cd repo && for i in 1 2 3; do echo $i >f$i && git add . && "
                           "GIT_AUTHOR_DATE=1700000000 GIT_COMMITTER_DATE=1700000000 git -c user.name=n -c user.email=e@example.org "
                           "commit -q -m c$i; done && git log --oneline && git fsck --strict && git gc -q && git status"],
                   snapshots=0)
    yield Case("bash", ["bash", "-c", "x=$(seq 1 2000 | wc -l); echo $x; [[ $x -eq 2000 ]]"], snapshots=0)


def installed_cases(tester, chosen):
    """What needs packages: in one environment, made once and kept outside the project."""
    found = environments.newest(chosen)
    for name, packages in (("scientific", ("numpy", "pandas")), ("flask_server", ("flask",))):
        python, why = environments.prepare(found, packages) if found else (None, "no interpreter can make one")
        if python is None:
            tester.checks.skip(name, why)
            continue
        program = application(name)
        tester.run_case(found, Case(name, [python, program], program,
                                    check=large_array if name == "scientific" else None))


def large_array(tester, done):
    """numpy's data stands on the line that made the array, whichever allocator this numpy takes it from."""
    line = application("scientific"), marked_line(application("scientific"), "# array")
    rows = tester.statistics(done.snapshots()[0], "lineno", "--domain", "raw,mem,obj,native")["statistics"]
    sizes = [row["size"] for row in rows if place(row) == line]
    tester.checks.that(sizes and 8000000 <= sizes[0] < 8100000, "the array's data", sizes)


def main():
    options = traced.arguments(__doc__).parse_args()
    checks = traced.Checks()
    chosen = interpreters.select(options.pythons)
    with traced.Folder() as folder:
        tester = Tester(options, checks, folder)
        for case in other_cases():
            tester.run_case(None, case)
        for interpreter in chosen:
            for case in python_cases(interpreter, options.full):
                tester.run_case(interpreter, case)
        installed_cases(tester, chosen)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
