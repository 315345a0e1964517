#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the resident memory of a process consists of, as its exit snapshot says: the parts are the whole, and little
is left unexplained."""
from __future__ import print_function

import ctypes
import json
import os
import re
import sys

import interpreters
import traced

# Small objects, big blocks, blocks of malloc that Python does not know, mapped files, and memory that was freed again.
PROGRAM = r"""
import ctypes
small = [(str(i), [i]) for i in range(150000)]
big = [bytearray(200000) for _ in range(100)]
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
native = [libc.malloc(ctypes.c_size_t(30000)) for _ in range(300)]
for block in native:
    libc.memset(block, 1, 30000)
holes = [bytearray(3000) for _ in range(3000)]
del holes[::2]
del small[::3]
print("done")
"""


def has_arenas(interpreter):
    return interpreter.version >= (3, 6) and not interpreter.free_threaded


def tells_free(interpreter):
    """2.7 has no door for its arenas, and glibc before 2.33 no mallinfo2: what is free in them is not told apart."""
    return interpreter.version >= (3, 0) and hasattr(ctypes.CDLL(None), "mallinfo2")


def account(options, folder, interpreter, command, expected, **variables):
    """What `stats` says of the COMMAND's exit snapshot; None where the program went another way."""
    done = traced.run([interpreter.path] + command, folder.fresh(), interpreter.environment(
        LD_PRELOAD=options.library, **variables))
    if (done.code, done.stdout, done.stderr) != (0, expected, b"") or len(done.snapshots()) != 1:
        return None
    return json.loads(traced.report(options.report, "stats", "--format", "json", done.snapshots()[0]))


def check(options, checks, folder, interpreter, **variables):
    found = account(options, folder, interpreter, ["-c", PROGRAM], b"done\n", **variables)
    if not checks.that(found is not None, "the program runs as without, and leaves a snapshot"):
        return
    rss = found["rss"]
    parts = {name: size for name, size in rss.items() if name not in ("total", "pss", "swap")}
    checks.equal(sum(parts.values()), rss["total"], "the parts are the whole")
    checks.that(parts["native"] >= 300 * 30000, "blocks of malloc", parts)
    checks.that(parts["python"] >= 20000000, "live blocks", parts)
    if tells_free(interpreter):
        checks.that(abs(parts["unexplained"]) < 0.05 * rss["total"], "unexplained is under 5 %", rss)
    if not interpreter.free_threaded and hasattr(ctypes.CDLL(None), "mallinfo2"):
        checks.that(parts["libc_used"] >= 0, "blocks in arenas are not taken for malloc's", parts)
    if has_arenas(interpreter) and "PYTHONMALLOC" not in variables:
        checks.that(found["snapshot"]["arenas"] > 0, "arenas", found["snapshot"])
        checks.that(0 < parts["arenas"] < 30000000, "free in arenas", parts)


def leave_at_once(options, checks, folder, interpreter):
    """_exit is for signal handlers too, so its snapshot takes none of malloc's locks: libc's own figures are not in it."""
    done = traced.run([interpreter.path, "-c", "import os; os._exit(3)"], folder.fresh(), interpreter.environment(
        LD_PRELOAD=options.library))
    checks.equal((done.code, len(done.snapshots())), (3, 1), "os._exit")
    for path in done.snapshots():
        found = json.loads(traced.report(options.report, "stats", "--format", "json", path))
        checks.that("libc_used" not in found["snapshot"] and found["rss"]["total"] > 0, "without libc's figures", found["rss"])


# The tracer's memory at the start, with many small blocks, and without them.
SHRINKING = r"""
import ctypes, json
own = ctypes.CDLL(None).tracemalloc_get_tracemalloc_memory
own.restype = ctypes.c_size_t
before = own()
heap = [(i, str(i)) for i in range(300000)]
full = own()
del heap
print(json.dumps([before, full, own()]))
"""


def shrink(options, checks, folder, interpreter):
    """What the tracer kept for blocks goes back to the system when CPython gives their arenas back."""
    if not has_arenas(interpreter):
        return
    done = traced.run([interpreter.path, "-c", SHRINKING], folder.fresh(), interpreter.environment(
        LD_PRELOAD=options.library))
    if not checks.equal((done.code, done.stderr), (0, b""), "the heap that shrinks"):
        return
    before, full, after = json.loads(done.stdout)
    checks.that(full - before > 3000000, "many blocks cost something", (before, full, after))
    checks.that(after - before < (full - before) * 0.3, "and nothing when they are gone", (before, full, after))


# A child that does enough to be traced, in which something is sampled.
FORKING = """
import os
child = os.fork()
kept = [bytearray(50000) for _ in range(300)]
if child:
    os.waitpid(child, 0)
"""


def sampled(options, checks, folder, interpreter):
    """A sampled process says what its memory consists of without a look at every page, but for the share of parent and
    child in what they have in common."""
    found = account(options, folder, interpreter, ["-c", PROGRAM], b"done\n", TRACEMALLOC_SAMPLE="64KiB")
    if checks.that(found is not None, "the sampled program runs as without, and leaves a snapshot"):
        rss = found["rss"]
        parts = {name: size for name, size in rss.items() if name not in ("total", "pss", "swap")}
        checks.equal(sum(parts.values()), rss["total"], "the parts of what was sampled are the whole")
        checks.that(all(rss[part] > 0 for part in ("files", "files_own", "stack", "tracer")), "parts", rss)
        checks.equal(rss["pss"], 0, "the share of a process without family")
    done = traced.run([interpreter.path, "-c", FORKING], folder.fresh(), interpreter.environment(
        LD_PRELOAD=options.library, TRACEMALLOC_SAMPLE="1KiB"))
    checks.equal((done.code, done.stderr, len(done.snapshots())), (0, b"", 2), "parent and child")
    for path in done.snapshots():
        rss = json.loads(traced.report(options.report, "stats", "--format", "json", path))["rss"]
        checks.that(0 < rss["pss"] < rss["total"], "the share of parent and child", rss)


def without_arenas(options, checks, folder, interpreter):
    if has_arenas(interpreter):
        check(options, checks, folder, interpreter, PYTHONMALLOC="malloc")


WORKLOADS = os.path.join(traced.ROOT, "tests", "bench", "workloads")
# The size that each is run with, a word of its "sizes:" line.
RUN = {"w1_listcomp": "smoke", "w2_churn": "counted", "w3_json": "counted", "w4_heap5m": "smoke",
       "w8_native": "counted", "n1_sqlite": "counted"}


def size_of(path, word):
    with open(path) as source:
        return re.search(r"^# sizes:.*\b%s=(\d+)" % word, source.read(), re.MULTILINE).group(1)


def statically_linked(chosen):
    return [one for one in chosen if one.label.endswith("-static")]


def workloads(options, checks, folder, interpreter):
    """Of what the shipped programs leave in memory little is unexplained, but for what is of the interpreter's own start
    (of a table that 3.14 makes hardly a page is touched)."""
    chosen = [one for one in interpreters.select(options.pythons) if tells_free(one)]
    if interpreter.label not in [one.label for one in traced.few(options, chosen) + statically_linked(chosen)]:
        return
    start = account(options, folder, interpreter, ["-c", "pass"], b"")
    if not checks.that(start is not None, "the start runs as without, and leaves a snapshot"):
        return
    of_start = start["rss"]["unexplained"]
    checks.that(abs(of_start) < 0.1 * start["rss"]["total"], "unexplained of the start is under 10 %", start["rss"])
    for name, word in sorted(RUN.items()):
        path = os.path.join(WORKLOADS, name + ".py")
        found = account(options, folder, interpreter, ["-B", path, size_of(path, word)], b"")
        if checks.that(found is not None, "%s runs as without, and leaves a snapshot" % name):
            share = (found["rss"]["unexplained"] - of_start) / float(found["rss"]["total"])
            print("  %s %s: %+.1f %% of %.1f MB unexplained" % (interpreter.label, name, share * 100,
                                                                found["rss"]["total"] / 1e6))
            checks.that(abs(share) < 0.03, "%s: unexplained is under 3 %%" % name, found["rss"])


def main():
    options = traced.arguments(__doc__).parse_args()
    return traced.on_each(options, interpreters.select(options.pythons), "resident", check, leave_at_once, shrink,
                          sampled, without_arenas, workloads)


if __name__ == "__main__":
    sys.exit(main())
