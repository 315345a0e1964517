#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The quick ways of an event tell what the long way tells: a program whose stacks change in every way, with
TRACEMALLOC_SLOW=1 and without, row by row; with machine frames, too, frame by frame; and with TRACEMALLOC_WATERMARK=1
where that is to be had."""
from __future__ import print_function

import json
import os
import re
import subprocess
import sys

import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "applications", "stack_changes.py")
OWN = ("stack_changes.py", "stack_changes3.py", "stack_marks.py", "<made ")
FRAME, NATIVE = b'{"filename": "', b'"native": true}'
ROW = re.compile(br' *\{"size": (\d+), "count": (\d+), "traceback": (\[.*\])\},?$')
MACHINE_FRAME = re.compile(br'\{"filename": "/[^"]*", "lineno": 0,')
MORE_RUNS = 6  # of each side, while something differs
FIGURES = ("live", "ever")
SLOW = {"TRACEMALLOC_SLOW": "1", "TRACEMALLOC_WATERMARK": "0"}
QUICK = {"TRACEMALLOC_SLOW": "0", "TRACEMALLOC_WATERMARK": "0"}
MARKED = {"TRACEMALLOC_SLOW": "0", "TRACEMALLOC_WATERMARK": "1"}


def ways(interpreter, limit, native):
    """With the word for each."""
    may_mark = (3, 11) <= interpreter.version[:2] <= (3, 13) and limit > 1 and native != "1" and not (
        interpreter.free_threaded or interpreter.debug)
    return [("quick", QUICK)] + [("marked", MARKED)] * may_mark


def is_own(filename):
    return filename.startswith(OWN[-1]) or os.path.basename(filename) in OWN[:-1]


def last_python_file(traceback):
    """Of the newest frame that is none of the machine, in the JSON of a traceback."""
    end = len(traceback)
    while end > 0:
        start = max(traceback.rfind(FRAME, 0, end), 0)
        frame = traceback[start + len(FRAME):end]
        if NATIVE not in frame:
            return frame[:frame.find(b'"')].decode(errors="replace")
        end = start
    return ""


def rows(options, path, figure):
    """{traceback: (size, count)} of what the program's own lines allocated: of the machine frames the addresses.  Tracebacks
    stay the JSON that they are, a line each: to read hundreds of megabytes takes longer than all else here."""
    found, count = {}, 0
    with subprocess.Popen([options.report, "--format", "json", "--group-by", "traceback", "--limit", "0", "--no-symbols",
                           "--domain", "all", "--figure", figure, path], stdout=subprocess.PIPE) as process:
        head = b""
        for line in process.stdout:
            row = ROW.match(line)
            head += b"" if row else line
            count += row is not None
            if row and is_own(last_python_file(row.group(3))):
                size, blocks = found.get(row.group(3), (0, 0))
                found[row.group(3)] = (size + int(row.group(1)), blocks + int(row.group(2)))
    expected = json.loads(head.decode(errors="surrogateescape"))["total"]["statistics"]
    if process.returncode or count != expected:
        raise RuntimeError("tm-report %s: exit code %d, %d rows of %d" % (path, process.returncode, count, expected))
    return found


def readable(traceback):
    return [(frame["filename"], frame["lineno"], frame["function"])
            for frame in json.loads(traceback.decode(errors="surrogateescape"))]


def snapshot(options, checks, folder, interpreter, limit, native, way):
    path = os.path.join(folder.fresh("snapshots"), "changes.tms")
    done = traced.run([interpreter.path, PROGRAM, path] + (["malloc"] if native != "1" else []), folder.fresh(),
                      interpreter.environment(LD_PRELOAD=options.library, TRACEMALLOC_NFRAME=str(limit),
                                              TRACEMALLOC_NATIVE=native, **way))
    return path if checks.equal((done.code, done.stderr), (0, b""), "code and stderr, %r" % way) else None


def marks(options, path):
    """What the snapshot says of the watermark; None: nothing."""
    return traced.statistics(options.report, path, "domain")["snapshot"].get("watermark")


def differing(one, other):
    return set(key for key in set(one) | set(other) if one.get(key) != other.get(key))


def check(options, checks, folder, interpreter, limit, native, way):
    """A row differs when no quick run shows what a slow run shows: whether a list is new or recycled depends on when
    threads run, also from one slow run to the next."""
    paths = [snapshot(options, checks, folder, interpreter, limit, native, one) for one in (way, SLOW)]
    if None in paths:
        return
    checks.equal(marks(options, paths[0]), "on" if way == MARKED else None, "the watermark")
    for figure in FIGURES:
        quick, slow = [[rows(options, path, figure)] for path in paths]
        wrong = differing(quick[0], slow[0])
        first = len(wrong)
        for _ in range(MORE_RUNS):
            if wrong:
                quick.append(rows(options, snapshot(options, checks, folder, interpreter, limit, native, way), figure))
                slow.append(rows(options, snapshot(options, checks, folder, interpreter, limit, native, SLOW), figure))
                wrong = set(key for key in wrong
                            if not set(run.get(key) for run in quick) & set(run.get(key) for run in slow))
        wrong = sorted(wrong)
        checks.that(not wrong, figure, "%d of %d differ, for instance %r: quick %r, slow %r" % (
            len(wrong), len(slow[0]), [readable(key)[-4:] for key in wrong[:1]], [[run.get(key) for run in quick] for key in wrong[:1]],
            [[run.get(key) for run in slow] for key in wrong[:1]]))
        checks.that(first * 10 < len(slow[0]), "nearly all of it can be compared", (first, len(slow[0])))
        checks.that(len(slow[0]) > 100, "there is something to compare", len(slow[0]))
        frames = sum(len(MACHINE_FRAME.findall(traceback)) for traceback in slow[0])
        least = 0 if native == "native" and limit == 1 else 100  # with one frame a single line asks malloc for all
        checks.that((frames > least) == (native != "0"), "machine frames, where they are asked for", frames)


def main():
    options = traced.arguments(__doc__).parse_args()
    checks = traced.Checks()
    limits = {"0": (1, 2, 5, 25, 100), "native": (1, 25), "1": (1, 25)} if options.full else \
        {"0": (1, 25), "native": (25,), "1": (25,)}
    chosen = interpreters.select(options.pythons)
    with traced.Folder() as folder:
        for interpreter in chosen:
            is_one_of_few = interpreter in traced.few(options, chosen)
            for native in ("0", "native", "1") if is_one_of_few else ("0",):
                for limit in limits[native] if is_one_of_few else limits[native][-1:]:
                    for name, way in ways(interpreter, limit, native):
                        checks.begin("%s %s and slow, limit %d, NATIVE=%s" % (interpreter.label, name, limit, native))
                        check(options, checks, folder, interpreter, limit, native, way)
                        checks.end()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
