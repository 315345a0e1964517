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

    def spawn(self, request, limit_s):
        """(status, user s, system s, peak RSS in bytes, wall s, whether the limit passed and it was killed)."""
        if self._process is None:
            self._start()
        self._process.stdin.write(marshal.dumps(request))
        pid = marshal.load(self._process.stdout)
        # Killed with its group: heaptrack, for one, starts others.
        try:
            expired = not select.select([self._process.stdout], [], [], limit_s)[0]
        except BaseException:
            os.killpg(pid, signal.SIGKILL)
            raise
        if expired:
            os.killpg(pid, signal.SIGKILL)
        return marshal.load(self._process.stdout) + (expired,)


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


def run(command, environment, limit_s, parent=None, keep_folder=None):
    """Run command in an empty folder made below parent (or in keep_folder) and return its Reading."""
    scratch = tempfile.mkdtemp(prefix="tm-bench-", dir=parent)
    folder = keep_folder or os.path.join(scratch, "cwd")
    os.makedirs(folder, exist_ok=True)
    out, err = os.path.join(scratch, "out"), os.path.join(scratch, "err")
    try:
        status, user_s, system_s, rss_bytes, wall_s, expired = _spawner.spawn(
            (command, environment, folder, out, err), limit_s)
        said = "killed after %g s" % limit_s if expired else _head(err)
        return Reading(user_s + system_s, wall_s, rss_bytes, _files_below(folder), _exit_code(status), _head(out), said)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def floor_rss_bytes(environment):
    """The least peak RSS that run can read: what the fork itself leaves in a child's account."""
    return run(["true"], environment, 60).rss_bytes
