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
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
import interpreters  # noqa: E402
import traced  # noqa: E402

BLOCKS = os.path.join(HERE, "programs", "blocks.py")
BLOCKS_LINE = 9
ARENAS = os.path.join(HERE, "programs", "arenas.py")
ARENAS_LINE = 9
INTERPRETERS = os.path.join(HERE, "programs", "interpreters.py")
OWN_ALLOCATORS = os.path.join(HERE, "programs", "own_allocators.c")
MOVED = os.path.join(HERE, "programs", "moved.py")
MOVED_LINES, GROWING_LINE = [33, 36], 50
OWN_TRACING = os.path.join(HERE, "programs", "own_tracing.py")
SMALL_LINE, SMALL_COUNT = 19, 300
NOT_STARTED = os.path.join(HERE, "programs", "not_started.py")
FREED_LINE, RECYCLED_LINE = 18, 23
SKIPPED = 77  # exit code


class Snapshot(object):
    """What snapshot_dump prints: facts by name, (domain, last frame) to [live bytes, live blocks], and last frame to
    temporary blocks and to all that were made."""

    def __init__(self, dump, path):
        self.facts, self.lines, self.domains, self.temporary, self.made = {}, {}, {}, {}, {}
        text = subprocess.run([dump, path], stdout=subprocess.PIPE, check=True).stdout.decode(errors="replace")
        for line in text.splitlines():
            fields = line.split("\t")
            if fields[0] == "meta":
                self.facts.setdefault(fields[1], fields[2])
                continue
            domain, size, count = fields[1], int(fields[2]), int(fields[3])
            place = fields[6].rstrip(",").split(",")[-1]
            self.temporary[place] = self.temporary.get(place, 0) + int(fields[7])
            self.made[domain, place] = self.made.get((domain, place), 0) + int(fields[5])
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

    def temporary_on(self, line):
        """Blocks that were freed, or moved, before their thread's next allocation."""
        return sum(count for place, count in self.temporary.items() if os.path.basename(place) == line)

    def made_on(self, line, domain=None):
        """Blocks of a domain, or of all, live or not."""
        return sum(count for (one, place), count in self.made.items()
                   if os.path.basename(place) == line and domain in (None, one))


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
        preexec = variables.pop("preexec", None)
        base.update({key: value for key, value in variables.items() if not key.startswith("TRACEMALLOC_")})
        with tempfile.TemporaryDirectory(prefix="tm-test-") as folder:
            plain = traced.run(command, folder, dict(base), preexec_fn=preexec)
        with tempfile.TemporaryDirectory(prefix="tm-test-") as folder:
            library = variables.get("LD_PRELOAD", "")
            base["LD_PRELOAD"] = " ".join(filter(None, [self.options.library, library]))
            base.update({key: value for key, value in variables.items() if key.startswith("TRACEMALLOC_")})
            run = traced.run(command, folder, base, preexec_fn=preexec)
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
        # Other hooks stand before the usual ones there.
        cases.blocks("%s %s, SIGINT ignored" % (label, mode), [path] + arguments + [BLOCKS], preexec=ignore_interrupt,
                     moment="finalizing flag", **variables)


def ignore_interrupt():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def with_prologue(folder, text):
    """programs/blocks.py with TEXT before it, on the lines of its comment: the numbers stay."""
    path = os.path.join(folder, "blocks.py")
    lines = open(BLOCKS).read().split("\n")
    lines[1] = text
    with open(path, "w") as stream:
        stream.write("\n".join(lines))
    return path


def moment_cases(cases, python):
    """Where tracing begins with START=python, and how the end of the interpreter is noticed."""
    end_hook_cases(cases, python)
    label, path = python.label, python.path
    flagged = "finalizing flag"
    cases.blocks(label + " SIGINT ignored", [path, BLOCKS], preexec=ignore_interrupt, moment=flagged)
    with tempfile.TemporaryDirectory(prefix="tm-test-") as folder:
        for text, moment in (
                ("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)", flagged),
                ("import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)", flagged),
                ("import signal; signal.signal(signal.SIGINT, lambda *_: None)", "finalization"),
                ("import signal; signal.signal(signal.SIGTERM, lambda *_: None)", "finalization"),
                ("import atexit, os; atexit.register(lambda: None)", "finalization"),
                ("import atexit, os, sys; atexit.register(lambda: (sys.stdout.flush(), os._exit(3)))", "_exit")):
            cases.blocks("%s %s" % (label, text), [path, with_prologue(folder, text)], moment=moment)
        if python.has_tracemalloc and python.version >= (3, 6):
            text = "import signal, tracemalloc; tracemalloc.start(); signal.signal(signal.SIGINT, signal.SIG_IGN); tracemalloc.stop()"
            cases.blocks("%s %s" % (label, text), [path, with_prologue(folder, text)], moment=flagged)
            text = "import tracemalloc; tracemalloc.stop()"
            cases.blocks("%s SIGINT ignored, %s" % (label, text), [path, with_prologue(folder, text)],
                         preexec=ignore_interrupt, moment=flagged, PYTHONTRACEMALLOC="1")
        fork = ("import os, sys; PID = os.fork(); PID and os.waitpid(PID, 0)")
        cases.blocks(label + " fork", [path, with_prologue(folder, fork)], count=2)
    for ignored in (False, True):
        snapshots, _ = cases.run(label + " START=python", [path, BLOCKS], TRACEMALLOC_START="python",
                                 preexec=ignore_interrupt if ignored else None)
        wanted = "signals asked" if ignored else "SIGINT handler"
        found = [snapshot.facts.get("start_moment") for snapshot in snapshots]
        cases.check(label + " START=python", found == [wanted], "start moment %s, not %s" % (found, wanted))
        for snapshot in snapshots:
            blocks = snapshot.on_line("obj", "blocks.py:%d" % BLOCKS_LINE)[1]
            cases.check(label + " START=python", blocks == 1000, "%d blocks on the line" % blocks)


def end_hook_cases(cases, python):
    """Where only a flag tells the end, functions of their own ask it; what is freed goes the usual way."""
    name = python.label + " doors"
    if python.version < (3, 6):
        return
    found = []
    # The last has SIGINT again, which tells.
    for preexec, again in ((None, ""), (ignore_interrupt, ""), (ignore_interrupt, "again")):
        with tempfile.TemporaryDirectory(prefix="tm-test-") as folder:
            environment = interpreters.Interpreter.environment(None)
            environment["LD_PRELOAD"] = cases.options.library
            run = traced.run([python.path, os.path.join(HERE, "programs", "doors.py"), again], folder, environment,
                             preexec_fn=preexec)
        found.append(run.stdout.split())
        cases.check(name, len(found[-1]) == 4, "%r" % ((run.code, run.stdout, run.stderr),))
    differ = [usual != other for usual, other in zip(*found[:2])]
    wanted = [not python.free_threaded] * 3 + [False]
    cases.check(name, differ == wanted, "functions differ: %s" % differ)
    cases.check(name, found[2] == found[0], "with SIGINT again: %s" % found)
    for preexec in (None, ignore_interrupt) if not python.free_threaded else ():
        _, run = cases.run(name + ", own function", [python.path, os.path.join(HERE, "programs", "own_function.py")],
                           preexec=preexec)
        cases.check(name, run.stdout.split() == [b"True"] * 3, "the program's function: %r" % run.stdout)


def library_of(python):
    """The shared library of an interpreter, or None."""
    text = subprocess.run([python.path, "-c", "print([l.split()[-1] for l in open('/proc/self/maps') if 'libpython' in l])"],
                          stdout=subprocess.PIPE, check=True).stdout.decode()
    names = [name for name in text.replace("'", "").strip("[]\n").split(", ") if name]
    return names[0] if names else None


def embedding_cases(cases, python):
    """A program that loads the interpreter itself, several times over."""
    label = python.label
    library = library_of(python)
    if library is None or not cases.options.embed:
        return
    home = os.path.dirname(os.path.dirname(os.path.realpath(python.path)))
    modes = ["g", "l", "gs", "ls", "ga"] + (["gd", "ld"] if (3, 6) <= python.version < (3, 12) else [])  # later ones crash
    modes += ["gi"] if python.version >= (3, 8) else []
    for mode in modes:
        snapshots, run = cases.run("%s embed %s" % (label, mode), [cases.options.embed, library, mode, "3", BLOCKS],
                                   PYTHONHOME=home)
        name = "%s embed %s" % (label, mode)
        cases.check(name, run.code == 0 and len(run.stdout.splitlines()) == 3, "%r" % run.stderr[-300:])
        cases.check(name, len(snapshots) == 1, "%d snapshots" % len(snapshots))
        for snapshot in snapshots:
            made = snapshot.made_on("<string>:%d" % BLOCKS_LINE)
            cases.check(name, made == 3000, "%d blocks made on the line: of the last life's end?" % made)
            size, blocks = snapshot.on_line("obj", "<string>:%d" % BLOCKS_LINE)
            wanted_count, wanted_size = map(int, run.stdout.split()[:2])
            cases.check(name, blocks == wanted_count and size == wanted_size,
                        "%d blocks of %d bytes, not %d of %d" % (blocks, size, wanted_count, wanted_size))
            cases.check(name, snapshot.facts.get("hook_losses") == "0", "hooks lost: %s" % snapshot.facts)


def life_cases(cases, python):
    """What an interpreter that is made several times leaves: the last life's end, or each with a number; of a life that
    is killed the store."""
    library = library_of(python)
    if library is None or not cases.options.embed:
        return
    home = os.path.dirname(os.path.dirname(os.path.realpath(python.path)))
    for mode, variables, wanted in (("g", {"TRACEMALLOC_OUTPUT": "life.%n.tms"}, [1000, 2000, 3000]),
                                    ("g", {"TRACEMALLOC_START": "python"}, [3000]),
                                    ("gt", {}, [3000])):
        name = "%s lives %s %s" % (python.label, mode, variables)
        snapshots, _ = cases.run(name, [cases.options.embed, library, mode, "3", BLOCKS], PYTHONHOME=home, **variables)
        made = [snapshot.made_on("<string>:%d" % BLOCKS_LINE) for snapshot in snapshots]
        cases.check(name, made == wanted, "made on the line: %s, not %s" % (made, wanted))
        failed = [snapshot.facts.get("failed_calls") for snapshot in snapshots]
        cases.check(name, not any(failed), "failed calls: %s" % failed)
    name = "%s killed in its third life" % python.label
    environment = python.environment(LD_PRELOAD=cases.options.library, PYTHONHOME=home)
    with tempfile.TemporaryDirectory(prefix="tm-test-") as folder:
        run = traced.run([cases.options.embed, library, "gk", "3", BLOCKS], folder, environment, timeout=60)
        made = [Snapshot(cases.options.dump, path).made_on("<string>:%d" % BLOCKS_LINE)
                for path in run.snapshots() + run.stores()]
        cases.check(name, run.code == -signal.SIGKILL and made == [2000, 3000], "made on the line: %s; %s" % (made, run.names()))
    name = "%s store beside a thread" % python.label
    with tempfile.TemporaryDirectory(prefix="tm-test-") as folder:
        run = traced.run([cases.options.embed, library, "ge", "1", BLOCKS], folder, dict(environment, TRACEMALLOC_STORE="."))
        cases.check(name, run.stderr == b"libtracemalloc: the live store stays in memory, a kill would leave nothing: "
                    b"several threads ran already\n", "%r" % run.stderr[-300:])


def truth_cases(cases, python):
    """The program's own tracemalloc: what it is told is what it would be told without us, also in exact mode."""
    if not python.has_tracemalloc or python.version < (3, 6):
        return
    for variables in ({}, {"TRACEMALLOC_EXACT": "1"}, {"TRACEMALLOC_START": "python"}, {"TRACEMALLOC_START": "off"}):
        name = "%s own tracing %s" % (python.label, variables)
        snapshots, _ = cases.run(name, [python.path, OWN_TRACING], **variables)
        for snapshot in snapshots:
            made = snapshot.made_on("%s:%d" % (os.path.basename(OWN_TRACING), SMALL_LINE))
            wanted = 0 if variables.get("TRACEMALLOC_START") == "off" else SMALL_COUNT
            cases.check(name, wanted <= made <= wanted + wanted // 5, "%d blocks made on the line" % made)
            cases.check(name, snapshot.facts.get("stdlib_tracing") == "1", "not noticed: %s" % snapshot.facts)
            cases.check(name, snapshot.facts.get("hook_losses") == "0", "hooks lost: %s" % snapshot.facts)
            wanted = "exact" if python.needs_exact and "TRACEMALLOC_EXACT" in variables else (
                "none" if python.needs_exact or python.version < (3, 8) else
                "tracer" if python.version >= (3, 13) else "symbol")
            cases.check(name, snapshot.facts.get("recycled") == wanted, "recycled %s" % snapshot.facts.get("recycled"))


def not_started_cases(cases, python):
    """What looks as if the program's own tracemalloc were started, but is not: births are heard all the same."""
    if python.version < (3, 8):
        return
    for before, after, variables in (([], ["tried"], {}), (["-I"], [], {"PYTHONTRACEMALLOC": "1"}),
                                     (["-E"], [], {"PYTHONTRACEMALLOC": "1"}), ([], ["-X", "tracemalloc"], {}),
                                     (["-X", "tracemalloc=0"], [], {}), ([], [], {"PYTHONTRACEMALLOC": "00"}),
                                     (["-X", "tracemalloc=0"], [], {"PYTHONTRACEMALLOC": "1"}),
                                     ([], ["started"], {})):
        name = "%s not started %s" % (python.label, (before, after, variables))
        snapshots, _ = cases.run(name, [python.path] + before + [NOT_STARTED] + after,
                                 TRACEMALLOC_EXACT="1" if python.needs_exact else "0", **variables)
        cases.check(name, len(snapshots) == 1, "%d snapshots" % len(snapshots))
        for snapshot in snapshots:
            freed, recycled = (snapshot.on_line("obj", "%s:%d" % (os.path.basename(NOT_STARTED), line))[1]
                               for line in (FREED_LINE, RECYCLED_LINE))
            cases.check(name, freed < 10 and recycled >= 50, "%d and %d blocks" % (freed, recycled))


def started_cases(cases, python):
    """Python's own start of the module, while we listen in its place."""
    program = "import tracemalloc; print(tracemalloc.is_tracing(), tracemalloc.get_traceback_limit())"
    for options, variables in (([], {"PYTHONTRACEMALLOC": "3"}), (["-X", "tracemalloc=4"], {}), (["-Xtracemalloc"], {}),
                               (["-E", "-X", "tracemalloc"], {}), ([], {"PYTHONTRACEMALLOC": "0"}),
                               (["-X", "tracemalloc="], {}), (["-X", "tracemalloc=0"], {"PYTHONTRACEMALLOC": "3"}),
                               (["-X", "tracemalloc=6"], {"PYTHONTRACEMALLOC": "0"})):
        if python.has_tracemalloc and python.version >= (3, 8):
            cases.run("%s started %s" % (python.label, (options, variables)), [python.path] + options + ["-c", program],
                      TRACEMALLOC_EXACT="1" if python.needs_exact else "0", **variables)


def embedded_start_cases(cases, python):
    """START=python in a program that embeds the interpreter without signal handlers."""
    library = library_of(python)
    if library is None or not cases.options.embed:
        return
    name = python.label + " START=python without signals"
    home = os.path.dirname(os.path.dirname(os.path.realpath(python.path)))
    snapshots, _ = cases.run(name, [cases.options.embed, library, "gs", "1", BLOCKS], PYTHONHOME=home,
                             TRACEMALLOC_START="python")
    cases.check(name, len(snapshots) == 1, "%d snapshots" % len(snapshots))
    for snapshot in snapshots:
        cases.check(name, snapshot.facts.get("start_moment") == "initialized", snapshot.facts.get("start_moment"))
        blocks = snapshot.on_line("obj", "<string>:%d" % BLOCKS_LINE)[1]
        cases.check(name, blocks == 1000, "%d blocks on the line" % blocks)


def first_hook_cases(cases, python):
    """The first Python allocation of a program whose other thread has just made the library forget the interpreter."""
    library = library_of(python)
    if library is None or not cases.options.first_hook or python.version < (3, 6):
        return
    name = python.label + " first hook during a look"
    environment = python.environment(LD_PRELOAD=cases.options.library, PYTHONHOME=os.path.dirname(os.path.dirname(
        os.path.realpath(python.path))))
    with tempfile.TemporaryDirectory(prefix="tm-test-") as folder:
        run = traced.run([cases.options.first_hook, library, "libz.so.1", BLOCKS], folder, environment, timeout=60)
        cases.check(name, run.code == 0, "exit code %d: %r" % (run.code, run.stderr[-300:]))
        snapshots = [Snapshot(cases.options.dump, path) for path in run.snapshots()]
    cases.check(name, len(snapshots) == 1, "%d snapshots" % len(snapshots))
    for snapshot in snapshots:
        blocks = snapshot.on_line("obj", "<string>:%d" % BLOCKS_LINE)
        cases.check(name, blocks == tuple(reversed(tuple(map(int, run.stdout.split()[:2])))), "%s on the line" % (blocks,))
        cases.check(name, snapshot.facts.get("hook_losses") == "0", "hooks lost: %s" % snapshot.facts)


def moved_cases(cases, python):
    """realloc through each way of the hooks: what fails leaves the block as it was."""
    if python.version < (3, 6):
        return
    deep = {"TRACEMALLOC_NFRAME": "25"}
    ways = [{}, deep, {"PYTHONMALLOC": "debug"}, {"TRACEMALLOC_INTERVAL": "1h"}]
    if (3, 11) <= python.version < (3, 14) and not python.free_threaded:
        ways.append(dict(deep, TRACEMALLOC_WATERMARK="1"))
    for variables in ways:
        name = "%s moved %s" % (python.label, variables)
        snapshots, run = cases.run(name, [python.path, MOVED], **variables)
        cases.check(name, len(snapshots) == 1, "%d snapshots" % len(snapshots))
        wanted = [list(map(int, line.split())) for line in run.stdout.splitlines()]
        cases.check(name, len(wanted) == 3, "it printed %r" % run.stdout)
        for snapshot in snapshots:
            for domain, numbers in zip(("mem", "obj"), wanted):
                found = [snapshot.on_line(domain, "moved.py:%d" % line) for line in MOVED_LINES]
                found = [number for size, count in found for number in (count, size)]
                more = [one - other for one, other in zip(found, numbers)]  # ctypes' own: each history comes 26 times
                holds = all(0 <= more[i] <= 4 and 0 <= more[i + 1] <= 3000 for i in (0, 2))
                cases.check(name, holds, "%s: %s on the lines, not %s" % (domain, found, numbers))
            moved = snapshot.temporary_on("moved.py:%d" % GROWING_LINE)
            cases.check(name, 0 <= moved - wanted[2][0] <= 3, "%d temporary, not %d" % (moved, wanted[2][0]))


def arena_cases(cases, python):
    """What small objects need of other domains (arenas, and the table of these) is no event of its own."""
    if python.version < (3, 6):
        return
    deep = {"TRACEMALLOC_NFRAME": "25"}
    has_marks = (3, 11) <= python.version < (3, 14) and not python.free_threaded
    ways = [{}, dict(deep, TRACEMALLOC_WATERMARK="1") if has_marks else deep]
    ways += [deep, {"TRACEMALLOC_INTERVAL": "1h"}] if cases.options.full else []
    ways.append({"TRACEMALLOC_SAMPLE": "1KiB"})  # nearly each growth of the table would be seen
    if python.version >= (3, 13):
        ways.append({"PYTHONMALLOC": "mimalloc"})
    for variables in ways:
        name = "%s arenas %s" % (python.label, variables)
        snapshots, run = cases.run(name, [python.path, ARENAS], **variables)
        cases.check(name, len(snapshots) == 1 and run.code == 0, "%d snapshots: %r" % (len(snapshots), run.stderr[-300:]))
        for snapshot in snapshots:
            line = "arenas.py:%d" % ARENAS_LINE
            made = snapshot.on_line("obj", line)[1]
            wrong = 200 if "TRACEMALLOC_SAMPLE" not in variables else 48000  # free lists; six standard deviations
            cases.check(name, abs(int(run.stdout) - made) <= wrong, "%d objects on the line" % made)
            for domain in ("raw", "native", "mmap"):
                found = snapshot.on_line(domain, line)
                cases.check(name, found == (0, 0), "%s: %s on the line" % (domain, found))
    if python.version >= (3, 12) and not python.free_threaded:
        interpreter_cases(cases, python)


def interpreter_cases(cases, python):
    """Each interpreter has tables for its arenas, of as many bytes as all else that it asks of raw."""
    name = "%s raw blocks of interpreters" % python.label
    found = []
    for variables in ({}, {"TRACEMALLOC_SAMPLE": "4KiB"}):
        snapshots, run = cases.run(name, [python.path, INTERPRETERS], **variables)
        cases.check(name, len(snapshots) == 1 and run.code == 0, "%d snapshots: %r" % (len(snapshots), run.stderr[-300:]))
        found.append(snapshots[0].domains["raw", None][0] if snapshots else 0)
    cases.check(name, found[0] > 2 << 20 and 0.8 < found[1] / found[0] < 1.2, "%d bytes of raw, sampled %d" % tuple(found))


BUILT_WITHIN = """
import os, sysconfig
static = os.path.join(*sysconfig.get_config_vars("LIBPL", "LIBRARY"))
if os.path.isfile(static):
    print(static, *sysconfig.get_config_vars("MODLIBS", "LIBS", "SYSLIBS"))
"""


def own_allocator_cases(cases, python):
    """A program that has the interpreter linked into it: its functions are not CPython's for lying where these do."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if python.version < (3, 8) or python.free_threaded or compiler is None:
        return
    home = os.path.dirname(os.path.dirname(os.path.realpath(python.path)))
    static = subprocess.run([python.path, "-c", BUILT_WITHIN], stdout=subprocess.PIPE, check=True).stdout.decode().split()
    with tempfile.TemporaryDirectory(prefix="tm-test-") as folder:
        program = os.path.join(folder, "own_allocators")
        command = [compiler, "-o", program, "-no-pie", OWN_ALLOCATORS] + static + ["-lpthread", "-ldl", "-lutil", "-lm", "-rdynamic"]
        if not static or subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE).returncode != 0:
            return  # this interpreter has no library to be linked with
        for which, variables in (("o", {}), ("o", {"TRACEMALLOC_NFRAME": "25"}), ("a", {}), ("m", {})):
            name = "%s own allocators %s %s" % (python.label, which, variables)
            snapshots, run = cases.run(name, [program, which, home, ARENAS], **variables)
            cases.check(name, len(snapshots) == 1 and run.code == 0, "%d snapshots: %r" % (len(snapshots), run.stderr[-300:]))
            for snapshot in snapshots:
                cases.check(name, snapshot.facts.get("hook_losses") == "0", "hooks lost: %s" % snapshot.facts)
                for domain in ("native", "mmap"):
                    made = snapshot.made_on("<string>:%d" % ARENAS_LINE, domain)
                    cases.check(name, made == 0, "%d %s blocks on the line" % (made, domain))


def all_truth_cases(cases, python):
    truth_cases(cases, python)
    not_started_cases(cases, python)
    started_cases(cases, python)


def all_embedding_cases(cases, python):
    embedding_cases(cases, python)
    life_cases(cases, python)
    embedded_start_cases(cases, python)
    first_hook_cases(cases, python)


def all_allocator_cases(cases, python):
    allocator_cases(cases, python)
    own_allocator_cases(cases, python)


GROUPS = {"truth": all_truth_cases, "moved": moved_cases, "arenas": arena_cases, "allocators": all_allocator_cases, "moments": moment_cases,
          "embedding": all_embedding_cases}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True)
    parser.add_argument("--dump", required=True)
    parser.add_argument("--embed", help="the program made of programs/embed.c")
    parser.add_argument("--first-hook", help="the program made of programs/first_hook.c")
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
    if options.only == "embedding" and not (cases.passed or cases.failures):
        print("no interpreter here has a shared library: skipped")
        return SKIPPED
    return 1 if cases.failures or not cases.passed else 0


if __name__ == "__main__":
    sys.exit(main())
