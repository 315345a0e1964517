#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tracebacks of Python and machine frames together, of a C extension module that is built here for each interpreter.

What is compared, frame by frame: Python's frames as (function, line), the extension's as the name of the C function,
those of libc and libstdc++ as the name of the library; the interpreter's own are left out.  The line and the C function
are looked up in the sources, so the expected stacks stand here as names only.
"""
import json
import os
import re
import shutil
import subprocess
import sys

import interpreters
import traced

SOURCES = os.path.join(traced.HERE, "native")
PROGRAM = os.path.join(SOURCES, "caller.py")
GOLDEN = os.path.join(traced.ROOT, "tests", "golden", "v1-native.tms")  # has machine frames without names

MAKE = ["callee_make", "make"]
# size: the stack, oldest first.  "name@text": the Python frame of that function, at the line that has the text.
PLAIN = ["<module>@plain()", "plain@callee.make(how"]
NO_GIL = 700010
EXPECTED = {
    700001: PLAIN + MAKE + ["make_malloc"],
    700002: PLAIN + MAKE + ["make_calloc"],
    700003: PLAIN + MAKE + ["make_realloc"],
    700004: PLAIN + MAKE + ["make_memalign"],
    700005: PLAIN + MAKE + ["make_strdup", "libc"],
    700006: PLAIN + MAKE + ["make_new", "callee::Maker::make(unsigned long)", "libstdc++"],
    700007: PLAIN + MAKE + ["make_with_alloca", "make_malloc"],
    700008: PLAIN + MAKE + ["make_deep"] * 6 + ["make_malloc"],
    700009: ["libc", "run_thread", "make_malloc"],
    NO_GIL: PLAIN + MAKE + ["make_without_gil", "make_malloc"],
    700011: PLAIN + MAKE + ["make_inlined"],  # its caller's frame is its own
    700012: PLAIN + MAKE + ["make_rarely"],
    700013: PLAIN + MAKE + ["make_rarely_inside", "make_rarely"],
    700101: ["<module>@callback()", "callback@callee.call(middle", "callee_call", "call_back", "middle@inner()",
             "inner@700101"] + MAKE + ["make_malloc"],
    700102: ["<module>@again(3)"] + ["again@callee.call(func", "callee_call", "call_back"] * 3 + ["again@700102"] + MAKE
            + ["make_malloc"],
    700103: ["<module>@generator()", "generator@in generate()", "generate@700103"] + MAKE + ["make_malloc"],
    700104: ["<module>@in_sort()", "in_sort@.sort()", "Item.__lt__@700104"] + MAKE + ["make_malloc"],
    700105: ["<module>@in_getattr()", "in_getattr@.missing", "Item.__getattr__@700105"] + MAKE + ["make_malloc"],
    700106: ["<module>@in_map()", "in_map@list(map", "mapped@700106"] + MAKE + ["make_malloc"],
    700107: ["<module>@in_class()", "in_class@class Made", "in_class.<locals>.Made@700107"] + MAKE + ["make_malloc"],
    700108: ["<module>@called_seldom()", "called_seldom@callee.call_rarely(seldom", "callee_call_rarely",
             "call_back_rarely", "seldom@700108"] + MAKE + ["make_rarely"],
}
# The functions whose calls lie in a cold part, by the text of the call.
IN_COLD_PART = {"make_rarely": "block = malloc(size); /* in the cold part */",
                "make_rarely_inside": "block = make_rarely(size); /* in the cold part */",
                "call_back_rarely": "result = PyObject_CallObject(function, NULL); /* in the cold part */"}
COLD = ".cold"
COLD_SIZES = (700012, 700013, 700108)


def line_of(text):
    """The last line of the program that has TEXT, which is the one outside its own function."""
    with open(PROGRAM) as program:
        found = [number for number, line in enumerate(program, 1) if text in line and not line.startswith("def ")]
    return found[-1]


def expected_of(interpreter, size):
    frames = []
    if size == NO_GIL and interpreter.version < (3,):
        return ["libc"] + MAKE + ["make_without_gil", "make_malloc"]  # 2.7 does not tell whose thread it is
    for frame in EXPECTED[size]:
        if "@" in frame:
            name, text = frame.split("@")
            if interpreter.version < (3, 11):
                name = name.split(".")[-1]  # code objects have no qualified name
            frames.append((name, line_of(text)))
        else:
            frames.append(frame)
    return frames


def include_folder(interpreter):
    done = subprocess.run([interpreter.path, "-c", "import sysconfig; print(sysconfig.get_paths()['include'])"],
                          stdout=subprocess.PIPE, env=interpreter.environment())
    folder = done.stdout.decode().strip()
    return folder if os.path.exists(os.path.join(folder, "Python.h")) else None


def build(include, folder):
    """The extension module in FOLDER.  Its functions' names are kept (no -s), what it is compiled with is Python's."""
    compiler = os.environ.get("CC", "cc")
    common = ["-O2", "-g", "-fPIC", "-I" + include, "-w"]
    objects = []
    for source, language in (("callee.c", "c"), ("callee.cpp", "c++")):
        objects.append(os.path.join(folder, source + ".o"))
        subprocess.check_call([compiler, "-x", language, "-c"] + common + ["-o", objects[-1],
                                                                           os.path.join(SOURCES, source)])
    library = os.path.join(folder, "callee.so")
    subprocess.check_call([compiler, "-shared", "-o", library] + objects + ["-lstdc++", "-lpthread", "-Wl,--build-id"])
    return library


def compiles_cpp():
    compiler = shutil.which(os.environ.get("CC", "cc"))
    return compiler is not None and subprocess.run(
        [compiler, "-x", "c++", "-shared", "-fPIC", "-o", os.devnull, os.devnull, "-lstdc++"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL).returncode == 0


class Functions(object):
    """The functions of an ELF file by address, as nm says."""

    def __init__(self, path):
        text = subprocess.check_output(["nm", "-C", "-S", "--defined-only", path]).decode()
        self.ranges = [(int(low, 16), int(low, 16) + int(size, 16), name)
                       for low, size, name in re.findall(r"^(\w+) (\w+) [tTwW] (.*)$", text, re.MULTILINE)]

    def symbol_at(self, address):
        names = [name for low, high, name in self.ranges if low <= address < high]
        return names[0] if names else "?"

    def at(self, address):
        """A cold part counts as its function."""
        return re.sub(r"\.cold(\.\d+)?$", "", self.symbol_at(address))


def frame_of(frame, module, functions):
    """What of FRAME is compared; None: nothing."""
    base = os.path.basename(frame["filename"])
    if not frame.get("native"):
        return (frame["function"], frame["lineno"]) if frame["filename"] == PROGRAM else frame["filename"]
    if frame["filename"] == module:
        return functions.at(int(frame["function"].split("+0x")[-1], 16))
    for library in ("libc", "libstdc++"):
        if base.startswith(library + "."):
            return library
    return None


def stack_of(row, module, functions):
    frames = []
    for frame in row["traceback"]:
        found = frame_of(frame, module, functions)
        if found is not None and not (found in ("libc", "libstdc++") and frames and frames[-1] == found):
            frames.append(found)
    # What runs before Python: the program's own start.
    while frames and frames[0] == "libc" and len(frames) > 1 and not isinstance(frames[1], str):
        frames.pop(0)
    return frames


def unsplit(path):
    """Those of IN_COLD_PART whose call is not in a part of its own, as objdump says: of what other compilers make."""
    code = subprocess.check_output(["objdump", "-d", "--no-show-raw-insn", path]).decode()
    calls = {"make_rarely": "malloc", "make_rarely_inside": "make_rarely", "call_back_rarely": "PyObject_CallObject"}
    parts = dict(re.findall(r"^\w+ <(\w+)\.cold(?:\.\d+)?>:\n((?:.+\n)+)", code + "\n", re.MULTILINE))
    return sorted(name for name, callee in calls.items()
                  if not re.search(r"\bcall\w*\s.*<%s[@>]" % callee, parts.get(name, "")))


def addresses_of(row, module):
    return [int(frame["function"].split("+0x")[-1], 16) for frame in row["traceback"]
            if frame.get("native") and frame["filename"] == module]


def check_cold(options, checks, snapshot, module, functions, found, domain_options):
    """What was called in a cold part: the addresses are there, and the names are the whole functions'."""
    missing = unsplit(module)
    if not all(size in found for size in COLD_SIZES):
        return  # which is said already
    if missing:
        return checks.skip("%s cold parts" % checks.name, "this compiler made none of %s" % ", ".join(missing))
    for size in COLD_SIZES:
        symbols = [functions.symbol_at(address) for address in addresses_of(found[size], module)]
        for name in set(EXPECTED[size]) & set(IN_COLD_PART):
            checks.that(any(symbol.startswith(name + COLD) for symbol in symbols),
                        "block of %d bytes: %s is in its cold part" % (size, name), symbols)
    if "built without elfutils" in traced.report(options.report, GOLDEN):
        return checks.skip("%s names of cold parts" % checks.name, "tm-report was built without elfutils")
    for what in ("lines", "symbols"):
        if what == "symbols":
            subprocess.check_call(["objcopy", "--strip-debug", module])
        rows = traced.statistics(options.report, snapshot, "traceback", *domain_options)
        by_size = {row["size"]: row for row in rows["statistics"]}
        for size in COLD_SIZES:
            check_cold_names(checks, by_size[size], size, module, what == "lines")


def check_cold_names(checks, row, size, module, has_lines):
    source = os.path.join(SOURCES, "callee.c")
    what = "names of %d from the %s" % (size, "lines" if has_lines else "symbols")
    frames = [frame for frame in row["traceback"] if frame["filename"] == (source if has_lines else module)]
    checks.equal([frame["function"] for frame in frames], [name for name in EXPECTED[size] if "@" not in name], what)
    with open(source) as text:
        lines = [line.strip() for line in text]
    for frame in frames if has_lines else ():
        if frame["function"] in IN_COLD_PART:
            checks.equal(lines[frame["lineno"] - 1], IN_COLD_PART[frame["function"]], what)


def check(options, checks, folder, interpreter, native, domain_options):
    include = include_folder(interpreter)
    if include is None:
        return checks.skip("%s NATIVE=%s" % (interpreter.label, native), "no Python.h")
    module = build(include, folder.fresh("module"))
    functions = Functions(module)
    checks.begin("%s NATIVE=%s" % (interpreter.label, native))
    done = traced.run([interpreter.path, PROGRAM, os.path.dirname(module)], folder.fresh(), interpreter.environment(
        LD_PRELOAD=options.library, TRACEMALLOC_NATIVE=native, TRACEMALLOC_NFRAME="64"))
    if checks.equal((done.code, done.stdout, done.stderr), (0, b"", b""), "code, stdout, stderr"):
        rows = traced.statistics(options.report, done.snapshots()[0], "traceback", "--no-symbols", *domain_options)
        checks.equal(rows["snapshot"].get("native_unmerged"), None, "stacks that could not be merged")
        found = {row["size"]: row for row in rows["statistics"]}
        for size in sorted(EXPECTED):
            stack = stack_of(found[size], module, functions) if size in found else None
            checks.equal(stack, expected_of(interpreter, size), "block of %d bytes" % size)
        check_cold(options, checks, done.snapshots()[0], module, functions, found, domain_options)
    checks.end()


def check_default_limit(options, checks, folder, interpreter):
    """One Python frame is kept, with the machine frames that it called; by line the blocks are that line's."""
    module = build(include_folder(interpreter), folder.fresh("module"))
    functions = Functions(module)
    checks.begin("%s one Python frame" % interpreter.label)
    done = traced.run([interpreter.path, PROGRAM, os.path.dirname(module)], folder.fresh(), interpreter.environment(
        LD_PRELOAD=options.library, TRACEMALLOC_NATIVE="native"))
    rows = traced.statistics(options.report, done.snapshots()[0], "traceback", "--no-symbols", "--domain", "native")
    found = {row["size"]: row for row in rows["statistics"]}
    of_line = {}
    for size in sorted(EXPECTED):
        stack = expected_of(interpreter, size)
        python = [i for i, frame in enumerate(stack) if not isinstance(frame, str)]
        if python:
            stack = stack[python[-1]:]
            of_line[stack[0][1]] = of_line.get(stack[0][1], 0) + size
        checks.equal(stack_of(found[size], module, functions) if size in found else None, stack, "block of %d" % size)
    rows = traced.statistics(options.report, done.snapshots()[0], "lineno", "--domain", "native")
    sizes = {row["traceback"][0]["lineno"]: row["size"] for row in rows["statistics"]
             if row["traceback"][0]["filename"] == PROGRAM}
    for line, size in sorted(of_line.items()):
        checks.that(size <= sizes.get(line, 0) < size + 700000, "bytes of line %d" % line,
                    "%r, expected %d" % (sizes.get(line), size))
    checks.end()


# The traceback of a block of malloc as the control API says it.
ASKING = """
import ctypes, json, sys
class Frame(ctypes.Structure):
    _fields_ = [("filename", ctypes.c_char_p), ("function", ctypes.c_char_p), ("lineno", ctypes.c_uint)]
library = (ctypes.CDLL if sys.version_info >= (3,) else ctypes.PyDLL)(None) # 2.7 tells its frames under the GIL only
library.malloc.restype = ctypes.c_void_p
frames, total = (Frame * 64)(), ctypes.c_uint()
def take():
    return library.malloc(ctypes.c_size_t(70000))
block = ctypes.c_void_p(take())
code = library.tracemalloc_get_object_traceback(block, frames, 64, ctypes.byref(total))
print(json.dumps([code] + [[f.filename.decode(), f.function.decode(), f.lineno] for f in frames[:total.value]]))
"""


def check_object_traceback(options, checks, folder, interpreter):
    """Machine frames have a file, no name and no line; what called comes first."""
    checks.begin("%s object traceback" % interpreter.label)
    done = traced.run([interpreter.path, "-c", ASKING], folder.fresh(), interpreter.environment(
        LD_PRELOAD=options.library, TRACEMALLOC_NATIVE="native", TRACEMALLOC_NFRAME="64"))
    if checks.equal((done.code, done.stderr), (0, b""), "code and stderr"):
        said = json.loads(done.stdout.decode())
        checks.equal(said[0], 0, "answer")
        python = [frame for frame in said[1:] if frame[0] == "<string>"]
        checks.equal(python, [["<string>", "<module>", 10], ["<string>", "take", 9]], "Python's frames")
        after = said[said.index(python[-1]) + 1:] if python else []
        checks.that(after and all(os.path.isabs(frame[0]) and frame[1:] == ["", 0] for frame in after),
                    "machine frames below", said)
        checks.that(any("ffi" in os.path.basename(frame[0]) or "ctypes" in os.path.basename(frame[0]) for frame in after),
                    "the caller of malloc", after)
    checks.end()


def main():
    options = traced.arguments(__doc__).parse_args()
    checks = traced.Checks()
    if not all(shutil.which(tool) for tool in ("nm", "objcopy", "objdump")) or not compiles_cpp():
        print("skipped: there is no compiler of C and C++, or no binutils")
        return 77
    with traced.Folder() as folder:
        for interpreter in interpreters.select(options.pythons):
            for native in ("native", "1"):
                check(options, checks, folder, interpreter, native, ["--domain", "native"])
            if include_folder(interpreter) is not None:
                check_default_limit(options, checks, folder, interpreter)
            check_object_traceback(options, checks, folder, interpreter)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
