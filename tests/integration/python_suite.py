#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Python's own test suite under the preload: each module of it by `python -m test -v MODULE`, with the library and
without, and the outcome of every test method compared.

What differs is run again, alone, on both sides: a method counts as different when no outcome of one side is an outcome
of the other, as flaky otherwise.  A module that is not done after --limit counts as such an outcome.  Differences whose
cause is known are in python_suite_known.py; one of those that does not differ any more is a failure too.  Nothing of the
library may be on stderr, and the snapshots must load.

  python_suite.py --library L --report R              a few short modules
  python_suite.py --library L --report R --full       the 46 of SUBSET
  python_suite.py ... --modules all --record FILE     every module: hours; said again it goes on where it was stopped
  python_suite.py ... --modules test_os,test_io --pythons 3.13
"""
from __future__ import print_function

import argparse
import collections
import concurrent.futures
import functools
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import interpreters
import python_suite_known
import traced
from python_suite_record import Record, Result
from python_suite_results import WHOLE, failed_subtests, module_end, read_printed, read_results

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
RELEASES = "3.8,3.11,3.12,3.13,3.14"  # unless --pythons names others
MORE_RUNS = 3  # of each side, while something differs
SECONDS = 1800  # for one module, unless --limit says otherwise
GIVEN_UP = "not done"
LOADED = 30  # snapshots of one run that are read
OURS = re.compile(r"^.*libtracemalloc: .*$", re.M)

SCRIPT = """
import os, test
folder = os.path.dirname(test.__file__)
for name in sorted(os.listdir(folder)):
    base, end = os.path.splitext(name)
    if name.startswith('test_') and (end == '.py' or os.path.exists(os.path.join(folder, name, '__init__.py'))):
        print(base)
"""


def environment(**variables):
    """The caller's, without what would change the answer; nothing is fixed that the suite itself looks at."""
    result = {name: value for name, value in os.environ.items()
              if not name.startswith(("PYTHON", "TRACEMALLOC_", "TM_", "LD_PRELOAD", "PYENV_"))}
    result.update(LC_ALL="C.UTF-8", **variables)
    return result


@functools.lru_cache(maxsize=None)
def help_of(path):
    """What the runner says of its options."""
    return subprocess.run([path, "-m", "test", "--help"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env=environment()).stdout


def writes_results(interpreter):
    return b"--junit-xml" in help_of(interpreter.path)


def modules_of(interpreter):
    """The modules that its suite has; none: it has no suite."""
    done = subprocess.run([interpreter.path, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env=environment())
    return done.stdout.decode().split() if b"--fail-env-changed" in help_of(interpreter.path) else []


def heed_signals():
    """nohup and a shell's & leave these ignored, and the tests that send them would inherit that.  This program goes on
    ignoring them; what it starts does not."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def finish(command, folder, variables, limit):
    """(how it ended, output) of COMMAND.  What it left running ends with it; what even left its session is not waited
    for: hence a file, not a pipe."""
    with tempfile.TemporaryFile() as stream:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=stream,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            end = "exit code %d" % process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            end = GIVEN_UP + " after %d seconds" % limit
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except OSError:
            pass  # the usual case: nobody is left
        process.wait()
        stream.seek(0)
        return end, stream.read().decode(errors="replace")


class Suite(object):
    """Runs modules, one process each, and compares."""

    def __init__(self, options, folder, record):
        self.options, self.folder, self.record = options, folder, record
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
            if self.options.watermark:
                variables.update(TRACEMALLOC_WATERMARK="1", TRACEMALLOC_NFRAME="25")
        begin = time.time()
        # --fail-env-changed: a module that leaves files, threads or changed settings has another exit code.
        command = [interpreter.path, "-m", "test", "-v", "--fail-env-changed"]
        command += ["--junit-xml", results] if writes_results(interpreter) else []
        end, text = finish(command + [module], work, environment(**variables), self.options.limit)
        seconds = round(time.time() - begin, 1)
        outcomes, details = read_results(results) if writes_results(interpreter) else read_printed(text)
        outcomes[WHOLE] = module_end(end, outcomes, text)
        details[WHOLE] = "\n".join(text.splitlines()[-12:])
        for name, detail in failed_subtests(text):
            details.setdefault(name, detail)
        files = glob.glob(os.path.join(snapshots, "*.tms"))
        result = Result(outcomes, details, OURS.findall(text), len(files), self.broken(files), seconds)
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
        nowhere = argparse.Namespace(**dict(vars(self.options), library=os.path.join(self.folder.path, "none.so")))
        plain = self.run(interpreter, "test_atexit", False)
        done = Suite(nowhere, self.folder, None).run(interpreter, "test_atexit", True)
        return done.snapshots == 0 and "failed" in summary(done) and not differing([plain], [done]) <= {WHOLE}

    def both_sides(self, interpreter, module):
        """(runs without, runs with) so far."""
        return tuple(self.record.of(interpreter.label, module, is_traced) for is_traced in (False, True))

    def run_both(self, interpreter, module, times):
        """Runs without and with, by turns, until there are TIMES of each."""
        for turn in range(times):
            for is_traced in (False, True):
                if len(self.record.of(interpreter.label, module, is_traced)) <= turn:
                    self.record.add(interpreter.label, module, is_traced, self.run(interpreter, module, is_traced))

    def is_open(self, interpreter, module):
        """Whether something differs that is not known to."""
        return not all(python_suite_known.reason(interpreter, module, name)
                       for name in differing(*self.both_sides(interpreter, module)))

    def run_again(self, interpreter, module):
        """More runs, while something differs."""
        for more in range(self.options.again):
            if not self.is_open(interpreter, module):
                break
            self.run_both(interpreter, module, 2 + more)

    def compare(self, interpreter, module):
        """What is to be printed of one module, and whether something is wrong."""
        plain, done = self.both_sides(interpreter, module)
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
            "no snapshot was left" for run in runs if not run.snapshots and not was_given_up(run)]


def was_given_up(run):
    return run.outcomes[WHOLE].startswith(GIVEN_UP)


def seen(runs, name):
    return sorted(set(run.outcomes.get(name, "missing") for run in runs))


def differing(plain, done):
    """The methods of which no outcome of one side is one of the other.  The exit code follows from them: it counts
    only where they agree.  A run that was given up says nothing of methods."""
    ended = [[run for run in runs if not was_given_up(run)] for runs in (plain, done)]
    if all(ended):
        plain, done = ended
    names = set(name for run in plain + done for name in run.outcomes) if all(ended) else {WHOLE}
    wrong = set(name for name in names if not set(seen(plain, name)) & set(seen(done, name)))
    return wrong - {WHOLE} or wrong


def summary(run):
    return counted(collections.Counter(word for name, word in run.outcomes.items() if name != WHOLE)) or \
        run.outcomes[WHOLE]


def counted(counts):
    return ", ".join("%d %s" % (counts[word], word) for word in sorted(counts))


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
            print("skip   %s: has no test suite, or not these modules" % one.label)
    chosen = [(one, modules) for one, modules in chosen if modules]
    if not (options.full or options.pythons or options.modules):
        chosen = chosen[-1:]
    return [(one, module) for one, modules in chosen for module in modules]


def totals(suite, chosen):
    """For each interpreter what became of the modules, and of the methods, in the last run of each."""
    for one, label in sorted(set((one.version, one.label) for one, _ in chosen)):
        pairs = [suite.both_sides(other, module) for other, module in chosen if other.label == label]
        for side, word in enumerate(("without", "with")):
            modules = collections.Counter(pair[side][-1].outcomes[WHOLE] for pair in pairs)
            methods = collections.Counter()
            for pair in pairs:
                methods.update(value for name, value in pair[side][-1].outcomes.items() if name != WHOLE)
            yield "%s %-7s %d modules: %s; methods: %s" % (label, word, len(pairs), counted(modules), counted(methods))


def compare_all(suite, chosen, jobs):
    """Prints the comparison of each; the number that differs.  Those that differ are run again at the end, alone."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(suite.run_both, one, module, 1) for one, module in chosen]
        try:
            for (one, module), running in zip(chosen, waiting):
                running.result()
                if suite.is_open(one, module):
                    print("again  %s %s" % (one.label, module))
                else:
                    print("\n".join(suite.compare(one, module)[0]))
                sys.stdout.flush()
        except BaseException:
            for running in waiting:
                running.cancel()
            raise
    failed = 0
    for one, module in chosen:
        first = suite.is_open(one, module)
        suite.run_again(one, module)
        lines, wrong = suite.compare(one, module)
        if first or wrong:
            print("\n".join(lines))
            sys.stdout.flush()
        failed += wrong
    return failed


def positive(text):
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError("%r: a whole number from 1 on" % text)
    return int(text)


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--modules", default="", help="names separated by commas, or all")
    parser.add_argument("--jobs", type=positive, default=os.cpu_count(), help="modules at a time (default: processors)")
    parser.add_argument("--limit", type=positive, default=SECONDS, help="seconds for one module (default %(default)s)")
    parser.add_argument("--again", type=int, default=MORE_RUNS,
                        help="runs of each side more while a module differs (default %(default)s)")
    parser.add_argument("--record", default="", metavar="FILE", help="keeps what ran there, and does not run it again")
    parser.add_argument("--watermark", action="store_true", help="with TRACEMALLOC_WATERMARK=1 and 25 frames")
    options = parser.parse_args()
    heed_signals()
    options.library, options.report = os.path.abspath(options.library), os.path.abspath(options.report)
    try:
        record = Record(options.record, options.library)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    chosen = chosen_runs(options)
    failed = 0
    with traced.Folder() as folder:
        suite = Suite(options, folder, record)
        if chosen and not suite.sees_differences(chosen[-1][0]):
            print("FAILED a library that cannot be preloaded changes nothing that this test sees")
            failed += 1
        failed += compare_all(suite, chosen, options.jobs)
    if not chosen:
        print("no interpreter has a test suite: left out")
        return 77
    print("\n".join(totals(suite, chosen)))
    print("%d modules of the suite compared, %d of them differ" % (len(chosen), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
