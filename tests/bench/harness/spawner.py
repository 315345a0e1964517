# SPDX-License-Identifier: MIT
"""A small process that starts the measured ones: run by measure.py as `python -I -S spawner.py`.

Linux puts the memory of the forking process into the child's peak RSS, and exec does not take it out again.  So the
one that forks must be smaller than anything that is measured: this file imports what it needs and no more.
Requests and replies are marshal's, one after the other, on the standard streams.
"""
import marshal
import os
import sys
import time


def become(command, environment, folder, out, err):
    """The child's part: never returns."""
    try:
        os.setpgid(0, 0)
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
        os.dup2(os.open(err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
        os.execvpe(command[0], command, environment)
    except OSError as error:
        os.write(2, ("%s: %s\n" % (command[0], error)).encode())
    finally:
        os._exit(127)


def tell(value):
    marshal.dump(value, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def serve():
    while True:
        try:
            request = marshal.load(sys.stdin.buffer)
        except EOFError:
            return
        started = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            become(*request)
        tell(pid)
        _pid, status, usage = os.wait4(pid, 0)
        wall_s = time.perf_counter() - started
        tell((status, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024, wall_s))


serve()
