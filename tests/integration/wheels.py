#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The largest tracebacks with machine frames of packages as people install them: the right Python line, below it
functions of the right library, and of the whole stack each machine frame, by two witnesses that know nothing of the
tracer: libc's backtrace() at the same blocks says the addresses, nm the functions.  And greenlets, whose stacks move.

The packages are those that the interpreter has (distributions' too), that --packages has, or that pip fetches into a
folder that is removed at the end.  The nearest to torch that is small is Arrow: C++ with pools and threads of its own.
torch itself is run where it is installed.
"""
import bisect
import glob
import os
import re
import shutil
import subprocess
import sys

import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "native", "wheels.py")
LARGEST = 10
LOOKED_UP = 40  # names of all would take minutes
# Package: which blocks, what the file of a machine frame below the line matches, and names of functions in the order in
# which they call, as far as the wheel has them.  All blocks: those of numpy are CPython's (raw) or malloc's, as its
# release has it, and the results of orjson are Python's objects.
LIBRARIES = {
    "lxml": ("native", "etree", ["xmlParseDocument", "xmlParseElement", "xmlSAX2"]),
    "orjson": ("all", "orjson", []),
    "numpy": ("all", "multiarray_umath", []),
    "pandas": ("all", "numpy|pandas", []),
    "pyarrow": ("native", "arrow", []),
    "torch": ("native", "torch|c10", []),
}
QUICK = ["greenlet", "lxml", "orjson"]
CUT = 64  # frames of either kind in a traceback
LARGE = 16384  # the witness looks at those that are larger: small ones are no malloc's, or too many
SMALL_TOO = ["lxml"]
WITNESS = os.path.join(traced.HERE, "native", "witness.c")
GREENLETS = {
    900001: ["shallow", "wait", "take"],
    900002: ["deep"] * 4 + ["wait", "take"],
    900003: ["<module>", "by_greenlet", "take"],
    900004: ["<module>", "by_greenlet", "take"],
}


class Names(object):
    """The functions of ELF files by address, as nm says; of a stripped file those that it exports."""

    def __init__(self):
        self.files = {}

    def load(self, path):
        found = []
        for option in ([], ["-D"]):
            text = subprocess.run(["nm", "-C", "-S", "--defined-only"] + option + [path], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL).stdout.decode("utf-8", "replace")
            found += [(int(low, 16), int(size, 16), name)
                      for low, size, name in re.findall(r"^(\w+) (\w+) [tTwWiu] (.*)$", text, re.MULTILINE)]
        return sorted(set(found))

    def at(self, path, address):
        """The names of the function that ADDRESS is in; none: there is no symbol."""
        if path not in self.files:
            self.files[path] = self.load(path)
        symbols = self.files[path]
        last = bisect.bisect_right(symbols, (address, float("inf"), ""))
        return set(plain(name) for low, size, name in symbols[max(0, last - 16):last] if low <= address < low + size)


def plain(name):
    """Without what demanglers write differently."""
    name = re.sub(r"@@?[A-Z].*$|\[clone [^]]*\]|\[abi:\w+\]|\s", "", name)
    return re.sub(r"(\.(isra|part|constprop|cold|localalias|llvm|lto_priv)(\.?\d+)*)+$", "", name)


def frame_of(frame):
    """(file, offset) of a machine frame that was not looked up."""
    return os.path.realpath(frame["filename"]), int(frame["function"].split("+0x")[-1], 16)


class Modules(object):
    """What was loaded where, as the witness wrote it."""

    def __init__(self, lines):
        fields = [line.split(" ", 4)[1:] for line in lines if line.startswith("module ")]
        self.parts = sorted((int(low, 16), int(size, 16), int(bias, 16), os.path.realpath(path))
                            for low, size, bias, path in fields)
        self.lows = [low for low, _size, _bias, _path in self.parts]
        self.known = {}

    def frame(self, address):
        """(file, offset) of a call's last byte, by its return address."""
        if address not in self.known:
            place = bisect.bisect_right(self.lows, address) - 1
            low, size, bias, path = self.parts[place] if place >= 0 else (0, 0, 0, "")
            self.known[address] = (path, address - 1 - bias) if address - low <= size else ("?", 0)
        return self.known[address]


def stacks_of(path):
    """What the witness saw, oldest first, from each call of the tracer on (of CPython's allocators it hears the outer
    one, and libc's that they ask), by the most recent frame."""
    found = {}
    for name in glob.glob(path + ".*"):
        with open(name) as file:
            lines = file.read().splitlines()
        modules = Modules(lines)
        for line in lines:
            if line == "full":
                raise RuntimeError("the witness has no room for all stacks: raise SLOTS in witness.c")
            if line.startswith("module "):
                continue
            frames = [modules.frame(int(text, 16)) for text in line.split()]
            frames = [frame for frame in frames if not frame[0].endswith("/witness.so")]
            own = ["libtracemalloc" in file for file, _offset in frames] + [False]
            for i in range(len(frames)):
                if own[i] and not own[i + 1] and i + 1 < len(frames):
                    found.setdefault(frames[i + 1], set()).add(tuple(reversed(frames[i + 1:])))
    return found


def is_python(frame):
    return frame["filename"] == PROGRAM and not frame.get("native")


def lines_of(name):
    """The lines of the program that allocate by the package: how many bytes, or None, by line."""
    with open(PROGRAM) as program:
        found = [(number, re.search("# %s's ?([0-9]*)$" % name, line)) for number, line in enumerate(program, 1)]
    return {number: int(match.group(1) or 0) or None for number, match in found if match}


class Case(traced.Tester):
    def prepare(self, names):
        """Fetches what can be had of NAMES."""
        packages = self.options.packages or self.folder.fresh("packages")
        self.variables = {"PYTHONPATH": packages}
        names = [name for name in names if not self.has(name)]
        pip = [self.interpreter.path, "-m", "pip"]
        command = pip + ["install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--no-compile",
                         "--only-binary", ":all:", "--target", packages]
        if not names or self.options.packages or self.call(pip + ["--version"]):
            return
        if self.call(command + names):
            for name in names:  # one by one: not each has a wheel for each interpreter
                self.call(command + [name])

    def call(self, command):
        try:
            return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=900).returncode
        except subprocess.TimeoutExpired:
            return 1

    def has(self, name):
        return subprocess.run([self.interpreter.path, "-c", "import " + name], stderr=subprocess.DEVNULL,
                              env=self.interpreter.environment(**self.variables)).returncode == 0

    def run(self, name, domain):
        """The snapshot of a run; None: it failed."""
        self.seen = os.path.join(self.folder.fresh(), "seen")
        witness = " " + self.witness if self.witness and name != "greenlet" else ""
        done = traced.run([self.interpreter.path, PROGRAM, name], self.folder.fresh(), self.interpreter.environment(
            LD_PRELOAD=self.options.library + witness, TRACEMALLOC_NFRAME=str(CUT),
            TRACEMALLOC_NATIVE="native" if domain == "native" else "1",
            WITNESS=self.seen, WITNESS_LEAST="0" if name in SMALL_TOO else str(LARGE), **self.variables))
        good = self.checks.equal((done.code, done.stderr), (0, b""), name + ": code, stderr")
        return done.snapshots()[0] if good else None

    def rows(self, name, snapshot, *options):
        found = traced.statistics(self.options.report, snapshot, "traceback", "--limit", str(LOOKED_UP), *options)
        self.checks.equal(found["snapshot"].get("native_unmerged"), None, "%s: stacks that could not be merged" % name)
        return found["statistics"]

    def compare(self, name):
        domain, _library, _functions = LIBRARIES[name]
        snapshot = self.run(name, domain)
        if snapshot is None:
            return
        rows = self.rows(name, snapshot, "--domain", domain)
        self.largest(name, rows[:LARGEST])
        self.sizes(name, rows)
        if self.witness is not None:
            self.witnessed(name, snapshot)

    def largest(self, name, rows):
        """Each of the largest has its most recent frame of the program at the line, and then the library's."""
        _domain, library, functions = LIBRARIES[name]
        marked = lines_of(name)
        self.checks.equal(len(rows), LARGEST, "%s: tracebacks" % name)
        for row in rows:
            frames = row["traceback"]
            own = [i for i, frame in enumerate(frames) if is_python(frame)]
            lines = [frames[i]["lineno"] for i in own]
            what = "%s: %d bytes" % (name, row["size"])
            if row["size"] < rows[0]["size"] / 10:
                continue  # what importing it took
            self.checks.that(lines and lines[-1] in marked, what + ", line", lines)
            below = frames[own[-1] + 1:] if own else []
            self.checks.that(any(frame.get("native") and re.search(library, frame["filename"]) for frame in below),
                             what + ", library", below)
            named = [frame["function"] for frame in below if frame.get("native")]
            at = [next((i for i, found in enumerate(named) if found.startswith(wanted)), None) for wanted in functions]
            self.checks.that(None not in at and at == sorted(at), what + ", functions", named)

    def sizes(self, name, rows):
        """Each line that says how many bytes it takes has a block of so many."""
        for number, size in sorted(lines_of(name).items()):
            found = [row["size"] for row in rows if number in [frame["lineno"] for frame in row["traceback"]
                                                               if is_python(frame)][-1:]]
            if size:
                self.checks.that(size in found, "%s: bytes of line %d" % (name, number), (size, found[:LARGEST]))

    def is_evaluator(self, frame):
        """Of a stripped file an address without a symbol may be in a part of it that was put elsewhere."""
        if frame not in self.evaluators:
            names = self.names.at(*frame)
            self.evaluators[frame] = bool(re.search("python", os.path.basename(frame[0]))) and (
                not names or any(name.startswith(("_PyEval_EvalFrame", "PyEval_EvalFrame")) for name in names))
        return self.evaluators[frame]

    def agrees(self, frames, stack):
        """FRAMES of both kinds are STACK, of which Python's frames take the places of evaluation functions."""
        python_is_cut = sum(not frame.get("native") for frame in frames) >= CUT
        places = set(range(len(stack))) if python_is_cut else {max(0, len(stack) - CUT)}
        in_python = int(len(stack) > CUT)  # frames of a run; of those at the cut no evaluation function may be there
        for frame in frames:
            if frame.get("native"):
                wanted = frame_of(frame)
                places = set(place + 1 for place in places if place < len(stack) and stack[place] == wanted)
                in_python = 0
                continue
            in_python += 1
            further = set(place + 1 for place in places if place < len(stack) and self.is_evaluator(stack[place]))
            places = further if in_python == 1 else places | further
        return len(stack) in places

    def witnessed(self, name, snapshot):
        """Each machine frame of the largest is the one that the witness saw, and has the name that nm gives it."""
        domain = LIBRARIES[name][0]
        least = 0 if name in SMALL_TOO else LARGE
        options = ["--domain", domain, "--debug-dir", self.folder.fresh()]  # names of the files that nm reads, too
        rows = [row for row in self.rows(name, snapshot, "--no-symbols", *options)[:LARGEST]
                if row["size"] >= least * row["count"]]
        named = {}
        for row in self.rows(name, snapshot, *options):
            named.setdefault((row["size"], row["count"]), []).append(row["traceback"])
        stacks = stacks_of(self.seen)
        compared = 0
        self.checks.that(len(rows) >= (1 if least else LARGEST), "%s: witnessed tracebacks" % name, len(rows))
        for row in rows:
            what = "%s: %d bytes, " % (name, row["size"])
            last = [frame_of(frame) for frame in row["traceback"][-1:] if frame.get("native")]
            near = [stack for frame in last for stack in stacks.get(frame, ())]
            self.checks.that(any(self.agrees(row["traceback"], stack) for stack in near),
                             what + "a stack that was seen", row["traceback"])
            same = named.get((row["size"], row["count"]), [])
            if len(same) == 1:
                compared += self.names_agree(what, [frame for frame in row["traceback"] if frame.get("native")],
                                             [frame for frame in same[0] if frame.get("native")])
        self.checks.that(compared >= len(rows), name + ": names that nm knows", compared)

    def names_agree(self, what, raw, named):
        """How many of RAW nm has a name for: NAMED has it, with functions that were inlined into it behind.  Of the
        others NAMED has the address, unless a separate debug file has names."""
        at = 0
        found = 0
        for frame in raw:
            wanted = self.names.at(*frame_of(frame))
            texts = wanted or {plain(frame["function"])}
            place = next((i for i in range(at, len(named)) if plain(named[i]["function"]) in texts), None)
            if wanted or place is not None:
                self.checks.that(place is not None, what + "name",
                                 (sorted(texts), [one["function"] for one in named[at:]]))
            if place is None and wanted:
                return found
            at = at if place is None else place + 1
            found += bool(wanted)
        return found

    def greenlets(self):
        """Python's frames are the greenlet's own, behind what started it and before what called malloc."""
        snapshot = self.run("greenlet", "native")
        if snapshot is None:
            return
        found = {row["size"]: row["traceback"]
                 for row in self.rows("greenlet", snapshot, "--domain", "native", "--no-symbols")}
        for size, names in sorted(GREENLETS.items()):
            frames = found.get(size, [])
            own = [i for i, frame in enumerate(frames) if is_python(frame)]
            self.checks.equal([frames[i]["function"].split(".")[-1] for i in own], names,
                              "Python's frames of %d" % size)
            if not own or names[0] == "<module>":
                continue
            self.checks.that(any(frame.get("native") and "greenlet" in frame["filename"] + frame["function"]
                                 for frame in frames[:own[0]]), "what started the greenlet of %d" % size, frames)
            self.checks.that(all(frame.get("native") for frame in frames[own[-1] + 1:]) and len(frames) > own[-1] + 1,
                             "what called malloc", frames)


def build_witness(folder):
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None or not shutil.which("nm"):
        return None
    library = os.path.join(folder, "witness.so")
    subprocess.check_call([compiler, "-O1", "-shared", "-fPIC", "-o", library, WITNESS, "-ldl", "-lpthread"])
    return library


def check(options, checks, folder, interpreter):
    case = Case(options, checks, folder, interpreter)
    case.variables = {}
    case.names = Names()
    case.evaluators = {}
    case.witness = build_witness(folder.fresh("witness"))
    names = QUICK + (["numpy", "pandas", "pyarrow", "torch"] if options.full else [])
    names = options.only.split(",") if options.only else names
    case.prepare([name for name in names if name != "torch"])
    for name in names:
        if not case.has(name):
            checks.skip("%s %s" % (interpreter.label, name), "is not here, and pip has no wheel")
        elif name == "greenlet":
            case.greenlets()
        else:
            case.compare(name)
    if case.witness is None:
        checks.skip("%s witness" % interpreter.label, "there is no compiler, or no nm")


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--packages", type=os.path.abspath, help="a folder that has the packages: nothing is fetched")
    parser.add_argument("--only", default="", help="packages, separated by commas")
    options = parser.parse_args()
    chosen = [one for one in interpreters.select(options.pythons) if one.version >= (3, 9) and not one.free_threaded]
    if not chosen or "built without elfutils" in traced.report(options.report, os.path.join(
            traced.ROOT, "tests", "golden", "v1-native.tms")):
        print("skipped: there is no interpreter of 3.9 or later, or tm-report was built without elfutils")
        return 77
    chosen = chosen if options.full or options.pythons else chosen[-1:]
    return traced.on_each(options, chosen, "wheels", check)


if __name__ == "__main__":
    sys.exit(main())
