#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Other allocators in the process: preloaded before or behind the library, inside an extension, or reached past it.

What is traced must be the same as with libc's malloc, and what cannot be is said."""
from __future__ import print_function

import glob
import os
import sys

import interpreters
import traced

ALLOCATORS = ("libjemalloc.so*", "libmimalloc.so*", "libtcmalloc_minimal.so*")

PROGRAM = r"""
import ctypes, json, os, subprocess, sys, threading
plugin_path, mode = sys.argv[1], sys.argv[2]
kept = [bytearray(5000) for _ in range(1000)]  # python
def churn():
    blocks = [bytearray(index) for index in range(5000)]
threads = [threading.Thread(target=churn) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.PyDLL(None)
flags = os.RTLD_NOW | os.RTLD_DEEPBIND if mode == "deepbind" else ctypes.DEFAULT_MODE
plugin = ctypes.PyDLL(plugin_path, mode=flags)
size = ctypes.c_size_t
plugin.plugin_take.restype = libc.malloc.restype = ctypes.c_void_p
plugin.plugin_give.argtypes = libc.free.argtypes = [ctypes.c_void_p]
assert plugin.plugin_keep(100, size(10000)) == 0  # plugin
if mode != "own":
    for _ in range(200):
        libc.free(plugin.plugin_take(size(700)))
        plugin.plugin_give(libc.malloc(size(700)))
assert plugin.plugin_keep(0, size(1)) == 0
if mode == "close":
    import _ctypes
    _ctypes.dlclose(plugin._handle)
print("%s %d" % (subprocess.check_output(["echo", "child"]).decode().strip(), len(kept)))
"""


def line_of(mark):
    return [number for number, line in enumerate(PROGRAM.splitlines(), 1) if line.endswith("# " + mark)][0]


def allocators():
    for pattern in ALLOCATORS:
        found = sorted(glob.glob(os.path.join("/usr/lib", "*", pattern)) + glob.glob(os.path.join("/usr/lib*", pattern)))
        if found:
            yield os.path.realpath(found[0])
        else:
            print("skipped: %s is not installed" % pattern)


def run(options, folder, interpreter, preload, mode):
    path = folder.fresh()
    program = os.path.join(path, "program.py")
    with open(program, "w") as stream:
        stream.write(PROGRAM)
    plugin = options.own_plugin if mode == "own" else options.plugin
    return traced.run([interpreter.path, program, plugin, mode], path, interpreter.environment(LD_PRELOAD=preload))


def at_line(options, path, mark, domain):
    """(bytes, blocks) of the marked line, big blocks only: small ones are the interpreter's."""
    rows = traced.statistics(options.report, path, "lineno", "--domain", domain)["statistics"]
    for row in rows:
        frame = row["traceback"][0]
        if frame["filename"].endswith("program.py") and frame["lineno"] == line_of(mark):
            return row["size"], row["count"]
    return 0, 0


def ran(checks, done, stderr=b""):
    return checks.equal((done.code, done.stdout, done.stderr), (0, b"child 1000\n", stderr), "runs as without") and \
        checks.equal(len(done.snapshots()), 1, "leaves one snapshot")


def python_line(options, path):
    return at_line(options, path, "python", "python,native")


def preloaded(options, checks, folder, interpreter):
    done = run(options, folder, interpreter, options.library, "plain")
    if not ran(checks, done):
        return
    path = done.snapshots()[0]
    python = python_line(options, path)
    checks.that(python[0] > 5000000 and python[1] >= 2000, "Python's blocks", python)
    checks.equal(at_line(options, path, "plugin", "native"), (1000000, 100), "the plug-in's blocks")
    for allocator in allocators():
        name = os.path.basename(allocator)
        done = run(options, folder, interpreter, options.library + " " + allocator, "plain")
        if ran(checks, done):
            path = done.snapshots()[0]
            checks.equal(python_line(options, path), python, name + " behind: Python's blocks")
            checks.equal(at_line(options, path, "plugin", "native"), (1000000, 100), name + " behind: native blocks")
        done = run(options, folder, interpreter, allocator + " " + options.library, "plain")
        said = ("libtracemalloc: native blocks are not traced, malloc is that of %s (LD_PRELOAD must name "
                "libtracemalloc.so before it)\n" % allocator).encode()
        if ran(checks, done, said):
            path = done.snapshots()[0]
            if interpreter.version >= (3, 0):
                checks.equal(python_line(options, path), python, name + " before: Python's blocks")
            checks.equal(at_line(options, path, "plugin", "native"), (0, 0), name + " before: none")
            checks.that("note: native blocks were not traced: malloc was that of " + allocator in
                        traced.report(options.report, "top", path), "and the report says so")


def inside(options, checks, folder, interpreter):
    done = run(options, folder, interpreter, options.library, "own")
    if ran(checks, done):
        path = done.snapshots()[0]
        checks.equal(at_line(options, path, "plugin", "native"), (0, 0), "an allocator inside an extension: no blocks")
        checks.equal(at_line(options, path, "plugin", "mmap"), (4 << 20, 1), "but its mapping")
    done = run(options, folder, interpreter, options.library, "close")
    if ran(checks, done):
        checks.equal(at_line(options, done.snapshots()[0], "plugin", "native"), (1000000, 100),
                     "blocks outlive the library that took them")
    if interpreter.version >= (3, 3):
        done = run(options, folder, interpreter, options.library, "deepbind")
        if ran(checks, done):
            checks.equal(at_line(options, done.snapshots()[0], "plugin", "native"), (0, 0),
                         "RTLD_DEEPBIND reaches past the library")


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--plugin", required=True, type=os.path.abspath)
    parser.add_argument("--own-plugin", required=True, type=os.path.abspath)
    options = parser.parse_args()
    return traced.on_each(options, interpreters.select(options.pythons), "foreign", preloaded, inside)


if __name__ == "__main__":
    sys.exit(main())
