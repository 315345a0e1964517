#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs that end while daemon threads allocate without the GIL: the interpreter frees these threads' states under
them.  Each run must end as it would without tracing and leave a snapshot."""
from __future__ import print_function

import os
import sys

import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "applications", "daemon_threads.py")
LIMITS = ("1", "200")


def check(options, checks, folder, interpreter):
    for limit in LIMITS:
        for turn in range(20 if options.full else 3):
            done = traced.run([interpreter.path, PROGRAM], folder.fresh(), interpreter.environment(
                LD_PRELOAD=options.library, TRACEMALLOC_NFRAME=limit))
            name = "limit %s, run %d: " % (limit, turn + 1)
            checks.equal((done.code, done.stdout, done.stderr), (0, b"done\n", b""), name + "code and output")
            checks.equal((len(done.snapshots()), len(done.stores())), (1, 0), name + "files")


def main():
    options = traced.arguments(__doc__).parse_args()
    chosen = [one for one in interpreters.select(options.pythons) if one.version >= (3,)]
    return traced.on_each(options, chosen, "daemon threads", check)


if __name__ == "__main__":
    sys.exit(main())
