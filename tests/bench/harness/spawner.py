# SPDX-License-Identifier: MIT
"""A small process that starts the measured ones: run by measure.py as `python -I -S spawner.py`.

Linux puts the memory of the forking process into the child's peak RSS, and exec does not take it out again.  So the
one that forks must be smaller than anything that is measured: this file imports what it needs and no more.
Requests and replies are marshal's, one after the other, on the standard streams: a request is a list of processes that
run at the same time.
"""
import _signal
import marshal
import os
import sys
import time


def become(processor, command, environment, folder, out, err):
    """The child's part: never returns."""
    try:
        os.setpgid(0, 0)
        # What a shell has a job ignore changes what Python sets up, and with it what is measured.
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
        if processor is not None:
            os.sched_setaffinity(0, [processor])
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
        os.dup2(os.open(err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
        os.execvpe(command[0], command, environment)
    except OSError as error:
        os.write(2, ("%s: %s\n" % (command[0], error)).encode())
    finally:
        os._exit(127)


def fork(request):
    pid = os.fork()
    if pid == 0:
        become(*request)
    try:
        os.setpgid(pid, pid)  # before anybody is told of the group
    except OSError:
        pass  # it has done so itself, and is another program by now
    return pid


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
        pids = [fork(one) for one in request]
        tell(pids)
        ended = {}
        while len(ended) < len(pids):
            pid, status, usage = os.wait4(-1, 0)
            ended[pid] = (status, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024, time.perf_counter() - started)
        tell([ended[pid] for pid in pids])


serve()
