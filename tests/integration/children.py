#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Children: which of them leave files, and which are traced at all (FOLLOW)."""
from __future__ import print_function

import os
import sys

import interpreters
import traced

# A server that forks for each request; the child does nothing, or what a request takes.
SERVER = """
import os, sys
kept = [bytearray(1000) for i in range(100)]
for i in range(50):
    child = os.fork()
    if child == 0:
        if sys.argv[1] == 'works':
            done = [bytearray(1000) for i in range(1000)]
        if sys.argv[2] == 'at once':
            os._exit(0)
        sys.exit(0)
    code = os.waitpid(child, 0)[1]
    if code:
        print(code)
print('served')
"""

POOL = """
import multiprocessing
def square(number):
    return len([bytearray(1000) for i in range(1000)]) * number
if __name__ == '__main__':
    pool = multiprocessing.Pool(2)
    print(sum(pool.map(square, range(20))))
    pool.close()
    pool.join()
"""


class Tester(object):
    def __init__(self, options, checks, folder, interpreter):
        self.options, self.checks, self.folder, self.interpreter = options, checks, folder, interpreter

    def run(self, program, *arguments, **variables):
        variables.setdefault("LD_PRELOAD", self.options.library)
        folder = self.folder.fresh()
        path = os.path.join(self.folder.fresh("program"), "program.py")
        with open(path, "w") as stream:
            stream.write(program)
        return traced.run([self.interpreter.path, path] + list(arguments), folder, self.interpreter.environment(**variables))

    def server(self):
        """50 children that end at once leave nothing; 50 that work leave their files unless FOLLOW says otherwise."""
        checks = self.checks
        for how, leaves, follow, files in (("idles", "at once", "fork,exec", 1), ("works", "at once", "fork,exec", 51),
                                           ("works", "at once", "exec", 1), ("works", "usually", "exec", 1)):
            done = self.run(SERVER, how, leaves, TRACEMALLOC_FOLLOW=follow)
            what = "%s, leaves %s, FOLLOW=%s" % (how, leaves, follow)
            checks.equal((done.code, done.stdout, done.stderr), (0, b"served\n", b""), what + ": code and output")
            checks.equal((len(done.snapshots()), len(done.names())), (files, files), what + ": files")

    def pool(self):
        """Workers that work and end are traced, each with its own file."""
        checks = self.checks
        for follow, files in (("fork,exec", 3), ("exec", 1)):
            done = self.run(POOL, TRACEMALLOC_FOLLOW=follow)
            checks.equal((done.code, done.stdout, done.stderr), (0, b"190000\n", b""), "FOLLOW=%s: code and output" % follow)
            checks.that(len(done.snapshots()) >= files if files > 1 else done.names() and len(done.names()) == 1,
                        "FOLLOW=%s: files" % follow, done.names())


def main():
    options = traced.arguments(__doc__).parse_args()
    options.library = os.path.abspath(options.library)
    checks = traced.Checks()
    with traced.Folder() as folder:
        for interpreter in interpreters.select(options.pythons):
            tester = Tester(options, checks, folder, interpreter)
            for group in (tester.server, tester.pool):
                checks.begin("%s %s" % (interpreter.label, group.__name__))
                group()
                checks.end()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
