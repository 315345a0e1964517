#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Single blocks of real programs: those of each traceback are what its row counts, addresses and sizes are those of the
program's own objects, and they are the traces that Python's module has."""
from __future__ import print_function

import bisect
import collections
import json
import os
import sys

import interpreters
import traced

PROGRAM = r"""
import ctypes, errno, os, sys, threading
api = ctypes.CDLL(None)
take = api.tracemalloc_take_snapshot_with_blocks
take.argtypes = [ctypes.c_char_p]

def keep(number):
    return [bytearray(50 + index * 37) for index in range(number)]

class Thing(object):
    __slots__ = ("a", "b", "c")

things = [Thing() for _ in range(500)]
kept = keep(300)
large = bytearray(3 << 20)
names = ["%d" % number * 9 for number in range(400)]
for thing in things + names + [large]:
    sys.stdout.write("%d %s\n" % (id(thing), type(thing).__name__))
sys.stdout.flush()
status = take(b"with.tms")
if status:
    sys.exit(os.strerror(status))
"""

# Both tracers at once; what is allocated from the line of the snapshot on is not compared.
BOTH = r"""
import ctypes, json, os, sys, tracemalloc
take = ctypes.CDLL(None).tracemalloc_take_snapshot_with_blocks
take.argtypes = [ctypes.c_char_p]

class Thing(object):
    __slots__ = ("name", "data")
    def __init__(self, number):
        self.name = "thing %d" % number
        self.data = bytearray(20 + number * 31)

def keep(number):
    return [Thing(index) for index in range(number)]

kept = keep(700)
texts = [b"%d" % number * 200 for number in range(100)]
limit = sys._getframe().f_lineno + 1
status = take(b"both.tms")
traces = [[trace.size, [[frame.filename, frame.lineno] for frame in trace.traceback]] for trace in tracemalloc.take_snapshot().traces]
with open("both.json", "w") as stream:
    stream.write(json.dumps([limit, traces]))
sys.exit(status)
"""

# What moves while the snapshot is taken: two threads that hold no lock of Python while they are in libc.
MOVING = r"""
import ctypes, os, sys, threading
api = ctypes.CDLL(None)
take = api.tracemalloc_take_snapshot_with_blocks
take.argtypes = [ctypes.c_char_p]
steady = [bytearray(9000 + number) for number in range(500)]
over = []
api.qsort.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p]

def churn():
    while not over:
        blocks = [api.strdup(b"x" * 3000) for _ in range(200)]
        for block in blocks:
            api.free(ctypes.c_void_p(block))

api.strdup.restype = ctypes.c_void_p
threads = [threading.Thread(target=churn) for _ in range(3)]
[thread.start() for thread in threads]
for turn in range(5):
    status = take(b"moving.tms")
    if status:
        break
over.append(1)
[thread.join() for thread in threads]
print(status)
"""


def rows_by_traceback(options, path, domains):
    rows = traced.statistics(options.report, path, "traceback", "--domain", domains)["statistics"]
    return {key_of(row): (row["size"], row["count"]) for row in rows if row["count"]}


def key_of(row):
    return tuple((frame["filename"], frame["lineno"]) for frame in row["traceback"])


def blocks_of(options, path, domains):
    return json.loads(traced.report(options.report, "blocks", "--format", "json", "--domain", domains, path))


def sums_of(blocks):
    sums = collections.defaultdict(lambda: (0, 0))
    for block in blocks:
        size, count = sums[key_of(block)]
        sums[key_of(block)] = size + block["size"], count + 1
    return dict(sums)


def check_sums(options, checks, path, what):
    for domain in ("raw", "mem", "obj", "native", "mmap"):
        found = blocks_of(options, path, domain)
        rows, sums = rows_by_traceback(options, path, domain), sums_of(found["blocks"])
        differ = [(key, rows.get(key), sums.get(key)) for key in set(rows) | set(sums) if rows.get(key) != sums.get(key)]
        checks.that(not differ, "%s, %s: the blocks of each traceback are its row" % (what, domain), differ[:3])
        checks.equal((found["skew"], found["left_out"]), (0, 0), "%s, %s: nothing moved" % (what, domain))
        addresses = [int(block["address"], 16) for block in found["blocks"]]
        checks.that(addresses == sorted(set(addresses)), "%s, %s: addresses ascend" % (what, domain))


def check_objects(options, checks, path, printed):
    """An object lies in its block, behind what the collector or a managed dict keeps before it."""
    blocks = blocks_of(options, path, "all")["blocks"]
    starts = [int(block["address"], 16) for block in blocks]
    missing = []
    for line in printed:
        address = line.split()[0]
        at = bisect.bisect_right(starts, int(address)) - 1
        block = blocks[at] if at >= 0 else {"size": 0}
        if not int(address) - starts[at] < min(block["size"], 64):
            missing.append((line, block))
    checks.that(len(printed) == 901 and not missing, "every object lies in a block", missing[:3])
    sizes = sorted(block["size"] for block in blocks if block["size"] >= 3 << 20)
    checks.that(len(sizes) == 1 and sizes[0] in range((3 << 20), (3 << 20) + 4096), "the large block's size", sizes)


def check_moving(options, checks, folder, interpreter):
    run_folder = folder.fresh()
    done = traced.run([interpreter.path, "-c", MOVING], run_folder, interpreter.environment(
        LD_PRELOAD=options.library, TRACEMALLOC_NFRAME="3"))
    if not checks.equal((done.code, done.stdout, done.stderr), (0, b"0\n", b""), "threads go on"):
        return
    found = blocks_of(options, os.path.join(run_folder, "moving.tms"), "all")
    steady = [block for block in found["blocks"] if 9000 <= block["size"] < 9700]
    checks.that(len(steady) >= 500, "what stays is listed while others move", len(steady))
    rows = rows_by_traceback(options, os.path.join(run_folder, "moving.tms"), "all")
    apart = abs(sum(count for _, count in rows.values()) - len(found["blocks"]))
    checks.that(apart <= found["skew"] + 8, "the sums are as near as the snapshot says", (apart, found["skew"]))


def check(options, checks, folder, interpreter):
    for frames in ("1", "5"):
        run_folder = folder.fresh()
        done = traced.run([interpreter.path, "-c", PROGRAM], run_folder, interpreter.environment(
            LD_PRELOAD=options.library, TRACEMALLOC_NFRAME=frames, TRACEMALLOC_BLOCKS="1", TRACEMALLOC_OUTPUT="exit.tms"))
        if not checks.equal((done.code, done.stderr, done.names()), (0, b"", ["exit.tms", "with.tms"]), "code, stderr, files"):
            continue
        check_sums(options, checks, os.path.join(run_folder, "with.tms"), "by the program, %s" % frames)
        check_sums(options, checks, os.path.join(run_folder, "exit.tms"), "at the exit, %s" % frames)
        check_objects(options, checks, os.path.join(run_folder, "with.tms"), done.stdout.decode().splitlines())


def counted(traces, limit):
    return collections.Counter((size, tuple(frames)) for size, frames in traces
                               if frames[-1][0].endswith("both.py") and frames[-1][1] < limit)


def check_traces(options, checks, folder, interpreter):
    """The same blocks, by size and traceback, as the traces of Python's own module in the same process."""
    if not interpreter.has_tracemalloc:
        return
    run_folder = folder.fresh()
    with open(os.path.join(run_folder, "both.py"), "w") as stream:
        stream.write(BOTH)
    done = traced.run([interpreter.path, "-X", "tracemalloc=5", "both.py"], run_folder, interpreter.environment(
        LD_PRELOAD=options.library, TRACEMALLOC_NFRAME="5", TRACEMALLOC_START="python",
        TRACEMALLOC_EXACT="1" if interpreter.needs_exact else "0"))
    if not checks.equal((done.code, done.stderr), (0, b""), "both tracers: code and stderr"):
        return
    with open(os.path.join(run_folder, "both.json")) as stream:
        limit, traces = json.load(stream)
    oldest_first = slice(None) if interpreter.version >= (3, 7) else slice(None, None, -1)
    wanted = counted([(size, [tuple(frame) for frame in frames[oldest_first]]) for size, frames in traces], limit)
    blocks = blocks_of(options, os.path.join(run_folder, "both.tms"), "python")["blocks"]
    found = counted([(block["size"], key_of(block)) for block in blocks], limit)
    checks.that(sum(wanted.values()) > 2000 and found == wanted, "the traces of Python's module",
                (sum(wanted.values()), list((found - wanted).items())[:3], list((wanted - found).items())[:3]))


def check_failure(options, checks, folder, interpreter):
    """A file that cannot grow: one line at the exit, an errno by the API, and the file before is as it was."""
    done = traced.run([interpreter.path, "-c", "import random, resource, sys\nkept = [bytearray(random.randrange(5000)) for _ in range(50000)]\n"
                       "resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000))\n"
                       "import ctypes\ntake = ctypes.CDLL(None).tracemalloc_take_snapshot_with_blocks\n"
                       "open('with.tms', 'w').write('before')\n"
                       "sys.stdout.write('%d ' % take(b'with.tms') + open('with.tms').read())"],
                      folder.fresh(), interpreter.environment(LD_PRELOAD=options.library, TRACEMALLOC_BLOCKS="1",
                                                              TRACEMALLOC_STORE="none", TRACEMALLOC_OUTPUT="exit.tms"))
    checks.that(done.code == 0 and done.stdout.split() == [b"27", b"before"], "EFBIG, and what was there stays",
                (done.code, done.stdout))
    checks.that(done.stderr.count(b"\n") == 1 and b"over the file size limit" in done.stderr, "one line at the exit", done.stderr)
    checks.equal(done.names(), ["with.tms"], "no part stays behind")


def main():
    options = traced.arguments(__doc__).parse_args()
    chosen = interpreters.select(options.pythons)
    few = traced.few(options, chosen)

    def check_few(*arguments):
        if arguments[-1] in few:
            check_failure(*arguments)

    return traced.on_each(options, chosen, "blocks", check, check_traces, check_moving, check_few)


if __name__ == "__main__":
    sys.exit(main())
