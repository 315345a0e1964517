#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The mmap domain: what a program maps by itself, to the byte and the line, through every way of taking it back."""
from __future__ import print_function

import os
import sys

import interpreters
import traced

# PyDLL keeps the GIL, so that every release knows the line. Marked lines are what must be live; all else is taken back.
PROGRAM = r"""
import ctypes, mmap, os, sys, threading
M = 1 << 20
libc = ctypes.PyDLL(None, use_errno=True)
pointer, size = ctypes.c_void_p, ctypes.c_size_t
libc.mmap.restype = libc.mremap.restype = pointer
libc.mmap.argtypes = [pointer, size, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = [pointer, size]
libc.mprotect.argtypes = [pointer, size, ctypes.c_int]
libc.mremap.argtypes = [pointer, size, size, ctypes.c_int, pointer]
PRIVATE, SHARED, FIXED = 0x22, 0x21, 0x10
def anonymous(size, rights=3, flags=PRIVATE, at=None):
    return libc.mmap(at, size, rights, flags, -1, 0)
shared = mmap.mmap(-1, 10 * M)  # live 10M 1
hole = libc.mmap(None, 8 * M, 3, PRIVATE, -1, 0)  # live 6M 2
assert libc.munmap(hole + 2 * M, M) == 0
assert libc.munmap(hole + 7 * M, M) == 0
gone = anonymous(5 * M)
assert libc.munmap(gone, 5 * M) == 0
reserved = anonymous(64 * M, 0)
assert libc.mprotect(reserved + M, 3 * M, 3) == 0  # live 3M 1
assert libc.mprotect(reserved + 2 * M, 4096, 1) == 0
small = anonymous(4 * M)
moved = libc.mremap(small, 4 * M, 6 * M, 1, None)  # live 6M 1
under = libc.mmap(None, 4 * M, 3, PRIVATE, -1, 0)  # live 2M 1
over = libc.mmap(under + 2 * M, 2 * M, 1, PRIVATE | FIXED, -1, 0)  # live 2M 1
guarded = libc.mmap(None, M, 3, PRIVATE, -1, 0)  # live 1020K 1
assert libc.mprotect(guarded, 4096, 0) == 0
assert libc.munmap(1, 1) == -1 and ctypes.get_errno() == 22
assert anonymous(M, flags=0x20) == pointer(-1).value and ctypes.get_errno() == 22
ctypes.memset(moved, 1, 3 * M)
with open("data", "w+b") as stream:
    stream.write(b"\0" * (3 * M))
    stream.flush()
    file = mmap.mmap(stream.fileno(), 3 * M)
if hasattr(os, "fork") and sys.argv[1:] == ["fork"]:
    child = os.fork()
    if child == 0:
        libc.munmap(moved, 6 * M)
        child_list = [[n] for n in range(3000)]
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
def churn():
    for _ in range(300):
        block = anonymous(4 * 4096)
        libc.munmap(block + 4096, 4096)
        libc.munmap(block, 4 * 4096)
threads = [threading.Thread(target=churn) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("done")
"""

UNITS = {"M": 1 << 20, "K": 1 << 10}


def expected():
    """{line: (bytes, blocks)} of the program's own marks."""
    lines = {}
    for number, line in enumerate(PROGRAM.splitlines(), 1):
        if "# live " in line:
            size, count = line.split("# live ")[1].split()
            lines[number] = (int(size[:-1]) * UNITS[size[-1]], int(count))
    return lines


def found(options, path, program):
    rows = traced.statistics(options.report, path, "lineno", "--domain", "mmap")["statistics"]
    lines = {}
    for row in rows:
        frame = row["traceback"][0]
        if frame["filename"] == program and row["size"] != 0:
            lines[frame["lineno"]] = (row["size"], row["count"])
    return lines


def run(options, folder, interpreter, *arguments, **variables):
    path = folder.fresh()
    program = os.path.join(path, "program.py")
    with open(program, "w") as stream:
        stream.write(PROGRAM)
    done = traced.run([interpreter.path, program] + list(arguments), path,
                      interpreter.environment(LD_PRELOAD=options.library, **variables))
    return done, program


def check(options, checks, folder, interpreter):
    done, program = run(options, folder, interpreter)
    checks.equal((done.code, done.stdout, done.stderr), (0, b"done\n", b""), "the program runs as without")
    checks.equal(len(done.snapshots()), 1, "snapshots")
    for path in done.snapshots():
        checks.equal(found(options, path, program), expected(), "bytes and blocks of each line")
        snapshot = traced.statistics(options.report, path)["snapshot"]
        # From 3.14 on importing ctypes makes libffi map a page of itself.
        checks.that(snapshot["map_file"] - (3 << 20) in (0, 4096), "files are named apart", snapshot)
        checks.equal(snapshot["map_reserved"], (61 << 20) + 4096, "and so are addresses without rights")
        checks.that(3 << 20 <= snapshot["map_rss"] <= 5 << 20, "what was touched", snapshot["map_rss"])
        heap = sum(snapshot["domains"][name]["size"] for name in ("raw", "mem", "obj", "native"))
        checks.equal(snapshot["heap"]["current"], heap, "no total has them")


def check_fork(options, checks, folder, interpreter):
    done, program = run(options, folder, interpreter, "fork")
    checks.equal((done.code, done.stdout, done.stderr), (0, b"done\n", b""), "a fork")
    checks.equal(len(done.snapshots()), 2, "parent and child")
    moved = [line for line, mark in sorted(expected().items()) if "mremap" in PROGRAM.splitlines()[line - 1]]
    without = {line: figures for line, figures in expected().items() if line not in moved}
    seen = [found(options, path, program) for path in done.snapshots()]
    checks.that(len(moved) == 1 and expected() in seen and without in seen, "each has its own", seen)


def check_stop(options, checks, folder, interpreter):
    done, _ = run(options, folder, interpreter, TRACEMALLOC_START="off")
    checks.equal((done.code, done.stdout, done.stderr), (0, b"done\n", b""), "not started, nothing happens")
    checks.equal((done.snapshots(), done.stores()), ([], []), "and nothing is left")


def main():
    options = traced.arguments(__doc__).parse_args()
    return traced.on_each(options, interpreters.select(options.pythons), "maps", check, check_fork, check_stop)


if __name__ == "__main__":
    sys.exit(main())
