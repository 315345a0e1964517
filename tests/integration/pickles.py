#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tm-report export --to pickle of real programs: the tracemalloc module of every interpreter opens the file and has the
statistics that tm-report has."""
from __future__ import print_function

import json
import os
import sys

import interpreters
import traced

PROGRAM = "import json, decimal, logging\nkept = [json.loads('[1.5, {\"a\": [%d, 2]}]' % i) for i in range(2000)]\n"

READER = r"""
import json, sys, tracemalloc
snapshot = tracemalloc.Snapshot.load(sys.argv[1])
rows = {}
for key in ('filename', 'lineno', 'traceback'):
    # 3.6 has the most recent frame first, later ones last.
    rows[key] = [[one.size, one.count, [[frame.filename, frame.lineno] for frame in one.traceback][::1 if sys.version_info >= (3, 7) else -1]]
                 for one in snapshot.statistics(key)]
domains = sorted(set(trace.domain for trace in snapshot.traces))
json.dump([rows, snapshot.traceback_limit, domains], sys.stdout)
"""
DOMAIN_OPTIONS = {"python": [], "all": ["--domain", "all"]}


def expected_rows(options, snapshot, key, domains):
    rows = traced.statistics(options.report, snapshot, key, *DOMAIN_OPTIONS[domains])["statistics"]
    return sorted([row["size"], row["count"], [[frame["filename"], frame["lineno"]] for frame in row["traceback"]]]
                  for row in rows)


def check_reader(checks, expected, target, reader, folder, domains):
    done = traced.run([reader.path, "-c", READER, target], folder.fresh(), reader.environment())
    if not checks.equal((done.code, done.stderr), (0, b""), "%s reads it" % reader.label):
        return
    rows, limit, found_domains = json.loads(done.stdout.decode())
    checks.equal(limit, 10, "limit")
    checks.equal(found_domains, [0] if domains == "python" else [0, 1], "domains")
    for key, wanted in expected.items():
        found = sorted(rows[key])
        if key == "filename":  # the module says line 0 of a whole file
            wanted = [row[:2] + [[[frame[0], 0] for frame in row[2]]] for row in wanted]
        checks.that(len(wanted) > 10 and found == wanted, "%s, %s, read by %s" % (domains, key, reader.label),
                    "differ: %r" % [pair for pair in zip(found, wanted) if pair[0] != pair[1]][:2])


def check(options, checks, folder, interpreter, readers):
    run_folder = folder.fresh()
    done = traced.run([interpreter.path, "-c", PROGRAM], run_folder, interpreter.environment(
        LD_PRELOAD=options.library, TRACEMALLOC_NFRAME="10"))
    if not checks.equal((done.code, done.stderr, len(done.snapshots())), (0, b"", 1), "code, stderr, snapshots"):
        return
    snapshot = done.snapshots()[0]
    for domains, arguments in sorted(DOMAIN_OPTIONS.items()):
        target = os.path.join(run_folder, domains + ".pickle")
        traced.report(options.report, "export", "--to", "pickle", "-o", target, snapshot, *arguments)
        expected = {key: expected_rows(options, snapshot, key, domains) for key in ("filename", "lineno", "traceback")}
        for reader in readers:
            check_reader(checks, expected, target, reader, folder, domains)


def main():
    options = traced.arguments(__doc__).parse_args()
    options.report = os.path.abspath(options.report)
    checks = traced.Checks()
    found = interpreters.select(options.pythons)
    able = [one for one in found if one.has_tracemalloc]
    with traced.Folder() as folder:
        for interpreter in found:
            readers = {one.path: one for one in able if one is interpreter or one in (able[0], able[-1])}
            checks.begin("%s pickle" % interpreter.label)
            check(options, checks, folder, interpreter, list(readers.values()))
            checks.end()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
