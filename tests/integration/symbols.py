#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Names of machine frames: from the library itself, from a separate debug file, written into a snapshot; and none where
the library is another build, or not there."""
import os
import re
import shutil
import subprocess
import sys

import interpreters
import native
import traced

GOLDEN = os.path.join(traced.ROOT, "tests", "golden", "v1-native.tms")  # has machine frames
SIZES = {
    700001: ["callee_make", "make", "make_malloc"],
    700006: ["callee_make", "make", "make_new", "callee::Maker::make(unsigned long)"],
    700011: ["callee_make", "make", "make_inlined", "take_inlined"],  # the last one was inlined
}
CALLS = {"make_malloc": "malloc(size)", "take_inlined": "malloc(size)", "make_inlined": "take_inlined(size)",
         "make_new": "Maker::make(size)", "callee::Maker::make(unsigned long)": "::operator new(size)"}


def frames_of(rows, size, module):
    """The frames that are the module's: those of its sources, or those that have no more than its path."""
    sources = tuple(os.path.join(native.SOURCES, name) for name in ("callee.c", "callee.cpp"))
    row = [row for row in rows["statistics"] if row["size"] == size][0]
    return [frame for frame in row["traceback"] if frame["filename"] in sources + (module,)]


def check_named(checks, rows, module, what):
    for size, names in sorted(SIZES.items()):
        frames = frames_of(rows, size, module)
        checks.equal([frame["function"] for frame in frames], names, "%s: functions of %d" % (what, size))
        for frame in frames:
            text = CALLS.get(frame["function"])
            if text is not None:
                with open(frame["filename"]) as source:
                    line = source.readlines()[frame["lineno"] - 1]
                checks.that(text in line, "%s: line of %s" % (what, frame["function"]), line)


def check_unnamed(checks, rows, module, what):
    for size in sorted(SIZES):
        frames = frames_of(rows, size, module)
        checks.that(frames and all(re.match(r"callee\.so\+0x[0-9a-f]+$", frame["function"]) and frame["lineno"] == 0
                                   for frame in frames), "%s: no names of %d" % (what, size), repr(frames))


def statistics(options, snapshot, *more):
    return traced.statistics(options.report, snapshot, "traceback", "--domain", "native", *more)


def build_id(path):
    return re.search(r"Build ID: (\w+)", subprocess.check_output(["readelf", "-n", path]).decode()).group(1)


def separate(module, debug):
    """Moves the module's symbols to a file of their own in the folder DEBUG."""
    identity = build_id(module)
    target = os.path.join(debug, ".build-id", identity[:2], identity[2:] + ".debug")
    os.makedirs(os.path.dirname(target))
    subprocess.check_call(["objcopy", "--only-keep-debug", module, target])
    subprocess.check_call(["objcopy", "--strip-all", module])


def link(module):
    """The same beside the module, found by the name that it says."""
    beside = os.path.join(os.path.dirname(module), ".debug", "callee.debug")
    os.makedirs(os.path.dirname(beside))
    subprocess.check_call(["objcopy", "--only-keep-debug", module, beside])
    subprocess.check_call(["objcopy", "--strip-all", "--add-gnu-debuglink=" + beside, module])


def check(options, checks, folder, interpreter):
    module = native.build(native.include_folder(interpreter), folder.fresh("module"))
    kept, debug = module + ".kept", folder.fresh("debug")
    checks.begin("%s symbols" % interpreter.label)
    done = traced.run([interpreter.path, native.PROGRAM, os.path.dirname(module)], folder.fresh(),
                      interpreter.environment(LD_PRELOAD=options.library, TRACEMALLOC_NATIVE="native", TRACEMALLOC_NFRAME="64"))
    snapshot = done.snapshots()[0]
    named = os.path.join(done.folder, "named.tms")
    wanted = build_id(module)
    check_named(checks, statistics(options, snapshot), module, "library")
    check_unnamed(checks, statistics(options, snapshot, "--no-symbols"), module, "--no-symbols")
    shutil.copy(module, kept)
    separate(module, debug)
    check_unnamed(checks, statistics(options, snapshot), module, "stripped")
    check_named(checks, statistics(options, snapshot, "--debug-dir", debug), module, "separate file")
    shutil.copy(kept, module)
    link(module)
    check_named(checks, statistics(options, snapshot), module, "debuglink")
    shutil.rmtree(os.path.join(os.path.dirname(module), ".debug"))

    shutil.copy(kept, module)
    said = subprocess.run([options.report, "symbolize", snapshot, "-o", named], stderr=subprocess.PIPE)
    checks.equal(said.returncode, 0, "code of symbolize")
    os.remove(module)
    check_unnamed(checks, statistics(options, snapshot), module, "library gone")
    text = traced.report(options.report, "traceback", snapshot)
    checks.that("note: %s is not here: no names; wanted is build id %s\n" % (module, wanted) in text, "note of gone", text)
    check_named(checks, statistics(options, named, "--no-symbols"), module, "written into the snapshot")

    with open(os.path.join(native.SOURCES, "callee.c")) as source:
        other = source.read().replace("size - 1", "size - 2").replace("make_new(size)", "make_malloc(size)")
    path = os.path.join(os.path.dirname(module), "other.c")
    with open(path, "w") as source:
        source.write(other)
    subprocess.check_call([os.environ.get("CC", "cc"), "-x", "c", "-O1", "-g", "-fPIC", "-w", "-shared", "-Wl,--build-id",
                           "-I" + native.include_folder(interpreter), "-o", module, path])
    check_unnamed(checks, statistics(options, snapshot), module, "another build")
    text = traced.report(options.report, "traceback", snapshot)
    checks.that("note: %s is another build here (%s): no names; wanted is %s\n" % (module, build_id(module), wanted) in text,
                "note of another build", text)
    checks.end()


def why_not(options, chosen):
    """Why names cannot be tested here, or None."""
    if not all(shutil.which(tool) for tool in ("readelf", "objcopy")) or not native.compiles_cpp() or not chosen:
        return "there is no compiler of C and C++, no binutils, or no Python.h"
    if "built without elfutils" in traced.report(options.report, GOLDEN):
        return "tm-report was built without elfutils"
    return None


def main():
    options = traced.arguments(__doc__).parse_args()
    checks = traced.Checks()
    chosen = [one for one in interpreters.select(options.pythons) if native.include_folder(one)]
    why = why_not(options, chosen)
    if why is not None:
        print("skipped: " + why)
        return 77
    with traced.Folder() as folder:
        for interpreter in chosen if options.full else chosen[-1:]:
            check(options, checks, folder, interpreter)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
