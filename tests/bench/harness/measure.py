# SPDX-License-Identifier: MIT
"""Run one process and read what the kernel says it cost."""
import atexit
import marshal
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile

SAID_LIMIT_BYTES = 4000
_SPAWNER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "spawner.py")


class Reading:
    """One run: seconds of processor and clock, bytes of memory and disk, and how it ended."""

    def __init__(self, cpu_s, wall_s, rss_bytes, files, status, out, said):
        self.cpu_s = cpu_s
        self.wall_s = wall_s
        self.rss_bytes = rss_bytes
        self.disk_bytes = sum(files.values())
        self.files = sorted(files)
        self.status = status
        self.out = out
        self.said = said


def _kill(groups):
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it ended before the others


class _Spawner:
    """The process that forks for us (spawner.py says why), started at the first need."""

    def __init__(self):
        self._process = None

    def _start(self):
        # Its own session: an interrupt at the terminal is ours to hear; we kill what runs and close its input.
        self._process = subprocess.Popen([sys.executable, "-I", "-S", _SPAWNER], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, bufsize=0, start_new_session=True)
        atexit.register(self._stop)

    def _stop(self):
        self._process.stdin.close()
        self._process.wait()

    def spawn(self, requests, limit_s):
        """For each (status, user s, system s, peak RSS in bytes, wall s), and whether the limit passed: all killed."""
        if self._process is None:
            self._start()
        self._process.stdin.write(marshal.dumps(requests))
        pids = marshal.load(self._process.stdout)
        # Killed with its group: heaptrack, for one, starts others.
        try:
            expired = not select.select([self._process.stdout], [], [], limit_s)[0]
        except BaseException:
            _kill(pids)
            raise
        if expired:
            _kill(pids)
        return marshal.load(self._process.stdout), expired


_spawner = _Spawner()


def _head(path):
    try:
        with open(path, "rb") as file:
            return file.read(SAID_LIMIT_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def _exit_code(status):
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _files_below(folder):
    found = {}
    for parent, _folders, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            found[os.path.relpath(path, folder)] = os.lstat(path).st_size
    return found


class _Place:
    """An empty folder for one run, and beside it what the run says."""

    def __init__(self, parent, keep_folder):
        self._scratch = tempfile.mkdtemp(prefix="tm-bench-", dir=parent)
        self._folder = keep_folder or os.path.join(self._scratch, "cwd")
        self._out, self._err = os.path.join(self._scratch, "out"), os.path.join(self._scratch, "err")
        os.makedirs(self._folder, exist_ok=True)

    def request(self, processor, command, environment):
        return processor, command, environment, self._folder, self._out, self._err

    def reading(self, ended, killed_after_s):
        status, user_s, system_s, rss_bytes, wall_s = ended
        killed = killed_after_s is not None and os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        said = "killed after %g s" % killed_after_s if killed else _head(self._err)
        return Reading(user_s + system_s, wall_s, rss_bytes, _files_below(self._folder), _exit_code(status),
                       _head(self._out), said)

    def remove(self):
        shutil.rmtree(self._scratch, ignore_errors=True)


def _run(processor, commands, limit_s, parent, keep_folder):
    places = [_Place(parent, keep_folder) for _ in commands]
    try:
        ended, expired = _spawner.spawn([place.request(processor, *command)
                                         for place, command in zip(places, commands)], limit_s)
        return [place.reading(one, limit_s if expired else None) for place, one in zip(places, ended)]
    finally:
        for place in places:
            place.remove()


def run(command, environment, limit_s, parent=None, keep_folder=None):
    """Run command in an empty folder made below parent (or in keep_folder) and return its Reading."""
    return _run(None, [(command, environment)], limit_s, parent, keep_folder)[0]


def run_together(processor, commands, limit_s, parent=None):
    """Run all commands, pairs of a command and an environment, at the same time on one processor.

    They take turns of some milliseconds there, so what slows that processor down slows all of them alike; their wall
    times say nothing, and limit_s seconds are for each of them.
    """
    return _run(processor, commands, limit_s * max(1, len(commands)), parent, None)


def floor_rss_bytes(environment):
    """The least peak RSS that run can read: what the fork itself leaves in a child's account."""
    return run(["true"], environment, 60).rss_bytes
