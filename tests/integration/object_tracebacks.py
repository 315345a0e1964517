#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The traceback of each of thousands of objects, compared with what sys._getframe said when it was made."""
from __future__ import print_function

import json
import os
import sys

import interpreters
import traced

PROGRAM = os.path.join(traced.HERE, "applications", "object_tracebacks.py")
FEWEST = 5000  # objects; what sorting adds varies


def check(options, checks, folder, interpreter, limit):
    done = traced.run([interpreter.path, PROGRAM, str(limit)], folder.fresh(), interpreter.environment(
        LD_PRELOAD=options.library, TRACEMALLOC_NFRAME=str(limit),
        TRACEMALLOC_EXACT="1" if interpreter.needs_exact else "0"))
    if not checks.equal((done.code, done.stderr), (0, b""), "code and stderr"):
        return
    said = json.loads(done.stdout.decode())
    checks.that(said["objects"] >= FEWEST, "objects made", said["objects"])
    checks.equal(said["differing"], 0, "of %(objects)d objects with %(frames)d frames differ: %(first)r" % said)


def main():
    options = traced.arguments(__doc__).parse_args()
    checks = traced.Checks()
    with traced.Folder() as folder:
        for interpreter in interpreters.select(options.pythons):
            for limit in (1, 5, 25, 200) if options.full else (1, 25):
                checks.begin("%s objects, limit %d" % (interpreter.label, limit))
                check(options, checks, folder, interpreter, limit)
                checks.end()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
