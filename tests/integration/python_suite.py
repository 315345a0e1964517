#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Python's own test suite under the preload: each module of it by `python -m test -v MODULE`, with the library and
without, and the outcome of every test method compared.

What differs is run again on both sides: a method counts as different when no outcome of one side is an outcome of the
other, as flaky otherwise.  Differences whose cause is known are in python_suite_known.py; one of those that does not
differ any more is a failure too.  Nothing of the library may be on stderr, and the snapshots must load.

  python_suite.py --library L --report R              a few short modules
  python_suite.py --library L --report R --full       the 46 of SUBSET
  python_suite.py ... --modules all --jobs 8          every module: hours
  python_suite.py ... --modules test_os,test_io --pythons 3.13
"""
from __future__ import print_function

import argparse
import collections
import concurrent.futures
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree

import interpreters
import python_suite_known
import traced

# A module that a release does not have is left out there: the names of some changed.
QUICK = "test_gc test_generators test_frame test_code test_tracemalloc test_mmap test_atexit test_fork1".split()
SUBSET = """
    test_capi test_embed test_threading test_multiprocessing_fork test_multiprocessing_forkserver
    test_multiprocessing_spawn test_multiprocessing_main_handling test_subprocess test_signal test_faulthandler
    test_tracemalloc test_gc test_generators test_coroutines test_interpreters test__xxsubinterpreters test_ctypes
    test_mmap test_asyncgen test_atexit test_audit test_buffer test_cmd_line test_code test_concurrent_futures
    test_descr test_exceptions test_fork1 test_frame test_import test_io test_marshal test_memoryview test_monitoring
    test_os test_pickle test_posix test_socket test_sys test_sys_setprofile test_sys_settrace test_thread
    test_threading_local test_traceback test_unicode test_weakref""".split()
RELEASES = "3.8,3.11,3.12,3.13,3.14"  # unless --pythons names others, from 3.6 on
MORE_RUNS = 3  # of each side, while something differs
SECONDS = 1800  # for one module
LOADED = 30  # snapshots of one run that are read
OURS = re.compile(r"^.*libtracemalloc: .*$", re.M)
WHOLE = "(the module)"

SCRIPT = """
import os, test
folder = os.path.dirname(test.__file__)
for name in sorted(os.listdir(folder)):
    base, end = os.path.splitext(name)
    if name.startswith('test_') and (end == '.py' or os.path.exists(os.path.join(folder, name, '__init__.py'))):
        print(base)
"""

Result = collections.namedtuple("Result", "outcomes details ours snapshots broken")


def environment(**variables):
    """The caller's, without what would change the answer; nothing is fixed that the suite itself looks at."""
    result = {name: value for name, value in os.environ.items()
              if not name.startswith(("PYTHON", "TRACEMALLOC_", "TM_", "LD_PRELOAD", "PYENV_"))}
    result.update(LC_ALL="C.UTF-8", **variables)
    return result


def modules_of(interpreter):
    """The modules that its suite has; none: it has no suite, or one that writes no results."""
    done = subprocess.run([interpreter.path, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env=environment())
    known = subprocess.run([interpreter.path, "-m", "test", "--help"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                           env=environment())
    return done.stdout.decode().split() if b"--junit-xml" in known.stdout else []


def outcome(case):
    """What became of one test method, and the last lines of its traceback."""
    for tag, word in (("error", "failed"), ("failure", "failed"), ("skipped", "skipped"), ("output", "failed as expected")):
        found = case.find(tag)
        if found is not None:
            return word, "\n".join((found.text or "").strip().splitlines()[-6:])
    return ("succeeded unexpectedly" if case.get("outcome") or case.find("outcome") is not None else "passed"), ""


def read_results(path):
    """{test method: outcome}, {test method: traceback} of a JUnit file; a method that runs twice has both outcomes."""
    outcomes, details = {}, {}
    try:
        tree = xml.etree.ElementTree.parse(path)
    except (OSError, xml.etree.ElementTree.ParseError):
        return outcomes, details  # the run did not get so far: its exit code tells
    for case in tree.iter("testcase"):
        name = case.get("name")
        if not name:
            continue  # a failed subtest leaves no result of its method: "missing" is what is compared
        word, detail = outcome(case)
        outcomes[name] = " and ".join(sorted(set(outcomes.get(name, word).split(" and ") + [word])))
        if detail:
            details[name] = detail
    return outcomes, details


def finish(command, folder, variables):
    """(exit code, output) of COMMAND.  What it left running ends with it."""
    process = subprocess.Popen(command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output = process.communicate(timeout=SECONDS)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output = process.communicate()[0] + b"\n(killed by the test: not done after %d seconds)" % SECONDS
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:
        pass  # the usual case: nobody is left
    return process.returncode, output.decode(errors="replace")


class Suite(object):
    """Runs modules, one process each, and compares."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        os.chmod(folder.path, 0o755)

    def run(self, interpreter, module, is_traced):
        # Short: the suite makes sockets in its folder.
        place = self.folder.fresh("t" if is_traced else "p")
        work, snapshots, results = [os.path.join(place, name) for name in ("w", "s", "r.xml")]
        os.mkdir(work)
        os.mkdir(snapshots)
        # Tests of root's start processes of other users.
        os.chmod(place, 0o755)
        os.chmod(snapshots, 0o1777)
        variables = {"TMPDIR": work}
        if is_traced:
            variables.update(LD_PRELOAD=self.options.library, TRACEMALLOC_OUTPUT=snapshots + "/%e.%p.%n.tms")
        # --fail-env-changed: a module that leaves files, threads or changed settings has another exit code.
        code, text = finish([interpreter.path, "-m", "test", "-v", "--fail-env-changed", "--junit-xml", results, module],
                            work, environment(**variables))
        outcomes, details = read_results(results)
        outcomes[WHOLE] = "exit code %d" % code
        details[WHOLE] = "\n".join(text.splitlines()[-12:])
        for name, detail in failed_subtests(text):
            details.setdefault(name, detail)
        files = glob.glob(os.path.join(snapshots, "*.tms"))
        result = Result(outcomes, details, OURS.findall(text), len(files), self.broken(files))
        if os.environ.get("TM_KEEP"):
            with open(os.path.join(place, "text"), "w") as stream:
                stream.write(text)
        else:
            shutil.rmtree(place, ignore_errors=True)
        return result

    def broken(self, files):
        found = []
        for path in files[:LOADED]:
            try:
                traced.statistics(self.options.report, path, "filename")
            except (RuntimeError, ValueError) as error:
                found.append(str(error))
        return found

    def sees_differences(self, interpreter):
        """ld.so's complaint on stderr of every child is a difference that the suite must show."""
        nowhere = argparse.Namespace(library=os.path.join(self.folder.path, "none.so"), report=self.options.report)
        plain = self.run(interpreter, "test_atexit", False)
        done = Suite(nowhere, self.folder).run(interpreter, "test_atexit", True)
        return done.snapshots == 0 and "failed" in summary(done) and not differing([plain], [done]) <= {WHOLE}

    def run_both(self, interpreter, module):
        """(runs without, runs with), once each, more often while a method differs that is not known to."""
        plain, done = [], []
        for _ in range(1 + MORE_RUNS):
            plain.append(self.run(interpreter, module, False))
            done.append(self.run(interpreter, module, True))
            if all(python_suite_known.reason(interpreter, module, name) for name in differing(plain, done)):
                break
        return plain, done

    def compare(self, interpreter, module):
        """What is to be printed of one module, and whether something is wrong."""
        plain, done = self.run_both(interpreter, module)
        wrong = differing(plain, done)
        known = set(name for name in wrong if python_suite_known.reason(interpreter, module, name))
        failures = [failure(name, plain, done) for name in sorted(wrong - known)]
        failures += troubles(done)
        failures += ["known difference does not differ any more: %s" % name
                     for name in python_suite_known.stale(interpreter, module, done[0].outcomes, known)]
        lines = ["%-6s %s %s: %s without, %s with; %d snapshots" % (
            "FAILED" if failures else "ok", interpreter.label, module, summary(plain[0]), summary(done[0]),
            done[0].snapshots)]
        lines += ["  FAILED " + line for line in failures]
        lines += ["  known  %s: %s" % (both(name, plain, done), python_suite_known.reason(interpreter, module, name))
                  for name in sorted(known)]
        lines += ["  flaky  " + both(name, plain, done) for name in sorted(differing(plain[:1], done[:1]) - wrong)]
        return lines, bool(failures)


def both(name, plain, done):
    return "%s: %s without, %s with" % (name, " or ".join(seen(plain, name)), " or ".join(seen(done, name)))


def failure(name, plain, done):
    """What tells of a method that differs, with the end of a traceback."""
    details = [run.details[name] for run in done + plain if name in run.details]
    return "\n         | ".join([both(name, plain, done)] + (details[0].splitlines() if details else []))


def troubles(runs):
    """What is wrong with runs under the library by themselves."""
    return ["a line of the library: %s" % line for run in runs for line in sorted(set(run.ours))] + [
        "a snapshot does not load: %s" % line for run in runs for line in run.broken] + [
            "no snapshot was left" for run in runs if not run.snapshots]


def failed_subtests(text):
    """The tracebacks that unittest prints, by test method: those of subtests are in no result."""
    for block in re.split(r"^=+\n(?=FAIL: |ERROR: )", text, flags=re.M)[1:]:
        head = re.match(r"\w+: (\w+) \(([\w.]+)\)", block)
        if head:
            name, where = head.groups()
            body = re.split(r"^(?:-+\nRan|=+\n)", block, flags=re.M)[0]
            yield where if where.endswith("." + name) else where + "." + name, "\n".join(body.strip().splitlines()[-6:])


def seen(runs, name):
    return sorted(set(run.outcomes.get(name, "missing") for run in runs))


def differing(plain, done):
    """The methods of which no outcome of one side is one of the other.  The exit code follows from them: it counts
    only where they agree."""
    names = set(name for run in plain + done for name in run.outcomes)
    wrong = set(name for name in names if not set(seen(plain, name)) & set(seen(done, name)))
    return wrong - {WHOLE} or wrong


def summary(run):
    counts = collections.Counter(word for name, word in run.outcomes.items() if name != WHOLE)
    return ", ".join("%d %s" % (counts[word], word) for word in sorted(counts)) or run.outcomes[WHOLE]


def chosen_modules(options, interpreter):
    there = modules_of(interpreter)
    if options.modules == "all":
        return there
    wanted = options.modules.split(",") if options.modules else SUBSET if options.full else QUICK
    return [name for name in wanted if name in there]


def chosen_runs(options):
    """[(interpreter, module)], oldest first.  Without --pythons the quick selection runs on the newest that has a suite."""
    chosen = [(one, chosen_modules(options, one)) for one in interpreters.select(options.pythons or RELEASES)]
    for one, modules in chosen:
        if not modules:
            print("skip   %s: has no test suite that writes results (--junit-xml), or not these modules" % one.label)
    chosen = [(one, modules) for one, modules in chosen if modules]
    if not (options.full or options.pythons or options.modules):
        chosen = chosen[-1:]
    return [(one, module) for one, modules in chosen for module in modules]


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--modules", default="", help="names separated by commas, or all")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="modules at a time (default: processors)")
    options = parser.parse_args()
    options.library, options.report = os.path.abspath(options.library), os.path.abspath(options.report)
    chosen = chosen_runs(options)
    failed = done = 0
    with traced.Folder() as folder, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        suite = Suite(options, folder)
        if chosen and not suite.sees_differences(chosen[-1][0]):
            print("FAILED a library that cannot be preloaded changes nothing that this test sees")
            failed += 1
        waiting = [pool.submit(suite.compare, interpreter, module) for interpreter, module in chosen]
        for one in waiting:
            lines, wrong = one.result()
            print("\n".join(lines))
            sys.stdout.flush()
            done += 1
            failed += wrong
    if not done:
        print("no interpreter has a test suite: left out")
        return 77
    print("%d modules of the suite compared, %d of them differ" % (done, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
