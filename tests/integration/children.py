#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Children: which of them leave files and where, and which are traced at all (FOLLOW)."""
from __future__ import print_function

import os
import re
import subprocess
import sys
import time

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
import multiprocessing, os, sys
def square(number):
    return len([bytearray(1000) for i in range(1000)]) * number, os.getpid()
if __name__ == '__main__':
    if sys.version_info >= (3,):
        multiprocessing.set_start_method('fork') # 3.14 would start a server of forks
    pool = multiprocessing.Pool(2)
    workers = set()
    while len(workers) < 2:
        answers = pool.map(square, range(20), 1)
        workers.update(worker for _, worker in answers)
    print(sum(answer for answer, _ in answers))
    pool.close()
    pool.join()
"""


# Each way to run a program, from another folder; the last one ends this process's program.  The run program prints what it
# finds in its environment.
RUNS = """
import ctypes, os, subprocess, sys
os.mkdir('elsewhere')
os.chdir('elsewhere')
python, code = sys.executable, "import os; print(sorted(name for name in os.environ if name.startswith('TRACEMALLOC') or name == 'LD_PRELOAD'))"
words = [python, '-c', code]
def c(function, *arguments):
    child = os.fork()
    if child == 0:
        getattr(ctypes.CDLL(None), function)(*arguments)
        os._exit(9)
    assert os.waitpid(child, 0)[1] == 0
text = [word.encode() for word in words]
listed = [ctypes.c_char_p(word) for word in text] + [ctypes.c_char_p(None)]
array = (ctypes.c_char_p * 4)(*(text + [None]))
variables = [('%s=%s' % item).encode() for item in os.environ.items()]
given = (ctypes.c_char_p * (len(variables) + 1))(*(variables + [None]))
sys.stdout.flush()
subprocess.check_call(words)
subprocess.check_call(words, close_fds=False)
subprocess.check_call(words, env=dict(os.environ))
subprocess.check_call(['sh', '-c', 'cd /; "$0" "$@"'] + words)
c('execl', listed[0], *listed)
c('execle', listed[0], *(listed + [given]))
c('execlp', listed[0], *listed)
c('execv', text[0], array)
c('execve', text[0], array, given)
c('execvp', text[0], array)
c('execvpe', text[0], array, given)
c('fexecve', os.open(python, os.O_RDONLY), array, given)
if hasattr(os, 'posix_spawn'):
    for spawn in (os.posix_spawn, os.posix_spawnp):
        assert os.waitpid(spawn(python, words, os.environ), 0)[1] == 0
os.execv(python, words)
"""
WAYS = 13 # without posix_spawn

# Runs itself with ten thousand more variables in each way, from another folder and a thread with a small stack, and a program
# that does not exist in between; the run program tells what it got.  No address space stays behind.
LONG = """
import os, subprocess, sys, threading, warnings
warnings.simplefilter('ignore') # of a fork beside a thread
def told():
    print(sum(len(name) + len(value) for name, value in os.environ.items() if name.startswith('LONG')),
          len([name for name in os.environ if name.startswith('LONG')]), 'TRACEMALLOC_ORIGIN' in os.environ)
def maps():
    with open('/proc/self/maps') as stream:
        return len(stream.readlines())
def fork(function, *arguments):
    child = os.fork()
    if child == 0:
        function(*arguments)
        os._exit(9)
    assert os.waitpid(child, 0)[1] == 0
def fails(*arguments, **options):
    try:
        subprocess.call(*arguments, **options)
    except OSError as error:
        return error.errno
def all_ways():
    fork(os.execve, python, words, long)
    fork(os.execvpe, os.path.basename(python), words, dict(long, PATH=os.path.dirname(python)))
    if hasattr(os, 'posix_spawn'):
        for spawn in (os.posix_spawn, os.posix_spawnp):
            assert os.waitpid(spawn(python, words, long), 0)[1] == 0
    subprocess.check_call(words, env=long)
    subprocess.check_call(words, env=long, close_fds=False)
    assert fails(['/there is no such program'], env=long) == 2
    short = dict((name, value) for name, value in long.items() if not name.startswith('TRACEMALLOC'))
    before = maps()
    for i in range(20):
        assert subprocess.call(['/bin/true'], env=short) == 0
        assert fails(['/there is no such program'], env=short) == 2
    grown = maps() - before
    assert grown < 5, grown
if __name__ == '__main__':
    if sys.argv[1:] == ['told']:
        told()
    else:
        long = dict(os.environ, **dict(('LONG%05d' % i, 'x' * (i % 7)) for i in range(10000)))
        words = [sys.executable, os.path.abspath(__file__), 'told']
        python = sys.executable
        os.mkdir('elsewhere')
        os.chdir('elsewhere')
        sys.stdout.flush()
        all_ways()
        threading.stack_size(256 << 10)
        thread = threading.Thread(target=all_ways)
        thread.start()
        thread.join()
"""

# As long as the kernel takes it, without a word to spare.
FULL = """
import os, subprocess
given = {'LD_PRELOAD': os.environ['LD_PRELOAD']}
def fits(size):
    try:
        whole = dict(given, **dict(('P%d' % i, 'x' * min(100000, size - i * 100000)) for i in range(1 + size // 100000)))
        return subprocess.call(['/bin/true'], env=whole) == 0
    except OSError as error:
        assert error.errno == 7, error
        return False
low, high = 0, 8 << 20
while high - low > 1:
    middle = (low + high) // 2
    low, high = (middle, high) if fits(middle) else (low, middle)
print(low)
"""

# What a program without our library, or with another choice of names, finds.
OTHERS = """
import os, subprocess, sys
subprocess.check_call(['env'], env={'A': 'B'})
os.mkdir('elsewhere')
chosen = dict(os.environ, TRACEMALLOC_OUTPUT='chosen.tms')
for i in range(2):
    subprocess.check_call([sys.executable, '-c', 'print(1)'], env=chosen, cwd='elsewhere')
print(os.listdir('elsewhere'))
"""


# Many short children, half of them of a program that does not exist.  Neither the store, nor what is open, nor what is mapped
# grows with their number, and none is left.
SPAWNS = """
import glob, os, subprocess, sys
number = int(sys.argv[1])
def maps():
    with open('/proc/self/maps') as stream:
        return len(stream.readlines())
def now():
    return [sum(os.path.getsize(name) for name in glob.glob('*.live')), len(os.listdir('/proc/self/fd')), maps()]
ended = missing = 0
before = [0, 0, 0]
for i in range(number):
    try:
        ended += subprocess.call(['true' if i % 4 == 1 else '/bin/true'] if i % 2 else ['./there is no such program'], close_fds=i % 4 < 2) == 0
    except OSError as error:
        missing += error.errno == 2
    if i == number // 10:
        before = now()
grown = [after - then for after, then in zip(now(), before)]
left = ['no child']
try:
    left = os.waitpid(-1, os.WNOHANG)
except OSError as error:
    left = error.errno == 10
print(' '.join(map(str, (ended, missing, left, grown[0] < 1 << 20, grown[1], abs(grown[2]) < 20))))
"""

# Leaves its folder, its descriptors and its terminal, as daemons do, and only then does its work.
DAEMON = """
import os, sys
def work():
    return [bytearray(3000) for i in range(500)]  # THE LINE
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
os.chdir('/')
os.umask(0)
os.closerange(0, 1000)
for i in range(3):
    os.open('/dev/null', os.O_RDWR)
held = work()
names = {}
exec(''.join('def f%d(x): return [x] * 10\\n' % i for i in range(20000)), names)
more = [names['f%d' % i](i) for i in range(20000)]  # as many records: the store grows
"""

# What a container's first process does.
FIRST = """
import os, sys
held = [bytearray(1000) for i in range(1000)]
print('process %d' % os.getpid())
sys.stdout.flush()
if sys.argv[1] == 'stay':
    import time
    time.sleep(60)
"""


class Tester(traced.Tester):
    def run(self, program, *arguments, **variables):
        variables.setdefault("LD_PRELOAD", self.options.library)
        timeout = variables.pop("timeout", 300)
        folder = self.folder.fresh()
        path = os.path.join(self.folder.fresh("program"), "program.py")
        with open(path, "w") as stream:
            stream.write(program)
        return traced.run([self.interpreter.path, path] + list(arguments), folder,
                          self.interpreter.environment(**variables), timeout=timeout)

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
            checks.equal((len(done.snapshots()), len(done.names())), (files, files), "FOLLOW=%s: files" % follow)

    def ways(self):
        return WAYS + (2 if self.interpreter.version >= (3, 8) else 0)

    def runs(self, names, **variables):
        """RUNS, whose programs find the variables NAMES; the folder that they all were told of, and the other one."""
        checks = self.checks
        variables.setdefault("LD_PRELOAD", self.options.library)
        folder = self.folder.fresh()
        done = traced.run([self.interpreter.path, "-c", RUNS], folder, self.interpreter.environment(**variables))
        lines = done.stdout.decode().splitlines()
        checks.equal((done.code, done.stderr), (0, b""), "code and stderr")
        checks.equal(lines, [repr(names)] * self.ways(), "environments")
        checks.equal(os.listdir(os.path.join(folder, "elsewhere")), [], "nothing elsewhere")
        return done

    def left(self, done, snapshots):
        """What ended by exec has left its store: the first process, and a child in which 2.7 did much before."""
        stores = len(done.stores())
        self.checks.equal(len(done.snapshots()), snapshots, "snapshots")
        self.checks.that(stores == 1 or (stores < 4 and self.interpreter.version < (3,)), "stores", done.names())

    def exec_folder(self):
        """Relative names are meant in the folder of the first process; its program sees no variable of ours."""
        done = self.runs(["LD_PRELOAD"])
        self.left(done, self.ways())
        done = self.runs(["LD_PRELOAD", "TRACEMALLOC_OUTPUT"], TRACEMALLOC_OUTPUT="./x.%p.tms")
        self.checks.equal(len([name for name in done.names() if name.startswith("x.")]), self.ways(), "OUTPUT")

    def exec_fixed(self):
        """A fixed name is the first process's; what others run insert their pid, so none is lost."""
        done = self.runs(["LD_PRELOAD", "TRACEMALLOC_OUTPUT"], TRACEMALLOC_OUTPUT="fixed.tms")
        names = [os.path.basename(path) for path in done.snapshots()]
        self.checks.equal(len(names), self.ways(), "files")
        self.checks.that("fixed.tms" in names, "the first process's", names)

    def exec_unfollowed(self):
        """FOLLOW without exec: what is run has no library, but what else was preloaded."""
        for follow in ("fork", "none"):
            done = self.runs(["TRACEMALLOC_FOLLOW"], TRACEMALLOC_FOLLOW=follow)
            self.left(done, 0)
        done = self.runs(["LD_PRELOAD", "TRACEMALLOC_FOLLOW"], TRACEMALLOC_FOLLOW="fork",
                         LD_PRELOAD="libm.so.6:" + self.options.library)
        self.left(done, 0)

    def long_environments(self):
        """10,000 variables are handed on as they are, and with what is to be handed on."""
        checks = self.checks
        runs = 2 * (6 if self.interpreter.version >= (3, 8) else 4)
        for follow in ("fork,exec", "fork"):
            done = self.run(LONG, TRACEMALLOC_FOLLOW=follow)
            checks.equal((done.code, done.stderr), (0, b""), "FOLLOW=%s: code and stderr" % follow)
            words = [str(sum(9 + i % 7 for i in range(10000))), "10000", "False"]
            lines = [re.findall(r"\w+", line) for line in done.stdout.decode().splitlines()]
            checks.equal(lines, [words] * runs, "FOLLOW=%s: what each got" % follow)
            snapshots = len(done.snapshots())
            # In 2.7 a child that looks for a program may have its own.
            least = 1 + (runs if follow == "fork,exec" else 0)
            checks.that(snapshots == least or (self.interpreter.version < (3,) and snapshots >= least),
                        "FOLLOW=%s: all are where the first one was started" % follow, done.names())
            checks.equal(os.listdir(os.path.join(done.folder, "elsewhere")), [], "FOLLOW=%s: nothing elsewhere" % follow)

    def full_environments(self):
        """What the kernel takes without us it takes with us: as many bytes, our variable's own among them."""
        plain, done = [self.run(FULL, LD_PRELOAD=preload, PATH="/usr/bin:/bin") for preload in ("", self.options.library)]
        self.checks.equal((plain.code, plain.stderr, done.code, done.stderr), (0, b"", 0, b""), "code and stderr")
        wanted = int(plain.stdout) - len(self.options.library)
        # A variable more or less has a name and a pointer more or less.
        self.checks.that(abs(int(done.stdout) - wanted) < 20, "bytes that fit", (done.stdout, wanted))

    def spawns(self):
        number = 10000 if self.options.full else 500
        expected = "%d %d True True 0 True\n" % (number // 2, number // 2)
        for preload in ("", self.options.library):
            # A short PATH: in 2.7 the child looks through it in Python.
            done = self.run(SPAWNS, str(number), LD_PRELOAD=preload, PATH="/usr/bin:/bin", timeout=3600)
            self.checks.equal((done.code, done.stdout.decode(), done.stderr), (0, expected, b""),
                              "code and output, LD_PRELOAD=" + preload)
            self.checks.equal(len(done.names()), len(done.snapshots()), "no litter")
            # Where exec fails 2.7 has run hundreds of lines of Python in the child, which counts for itself then.
            most = 0 if not preload else 1 if self.interpreter.version >= (3,) else 1 + number // 2
            self.checks.that(bool(preload) <= len(done.snapshots()) <= most, "only its own snapshot", len(done.snapshots()))

    def daemon(self):
        """Its files are where it was started, and whole."""
        done = self.run(DAEMON)
        self.checks.equal((done.code, done.stdout, done.stderr), (0, b"", b""), "code and output")
        end = time.time() + 120
        while (len(done.snapshots()) < 2 or done.stores()) and time.time() < end:
            time.sleep(0.1)
        self.checks.equal((len(done.snapshots()), len(done.names())), (2, 2), "the starter's and the daemon's")
        line = DAEMON.split("# THE LINE")[0].count("\n") + 1
        found = []
        for path in done.snapshots():
            rows = traced.statistics(self.options.report, path, "lineno", "--domain", "all")["statistics"]
            found += [row["size"] for row in rows if row["traceback"][-1]["lineno"] == line and
                      row["traceback"][-1]["filename"].endswith("program.py")]
        self.checks.that(len(found) == 1 and 500 * 3001 < found[0] < 500 * 3100, "what the daemon holds", found)

    def restarted(self):
        """Process 1 of a container that is started again and again on one volume."""
        for prefix in (["unshare", "-p", "-f", "--kill-child"], ["unshare", "-p", "-f", "--mount-proc", "--kill-child"]):
            self.restarted_in(prefix)

    def restarted_in(self, prefix):
        checks = self.checks
        if subprocess.call(prefix + ["true"], stderr=subprocess.DEVNULL) != 0:
            checks.skip("process 1", "unshare is not allowed")
            return
        folder = self.folder.fresh()
        environment = self.interpreter.environment(LD_PRELOAD=self.options.library)
        command = prefix + [self.interpreter.path, "-c", FIRST]
        kept, wanted = {}, []
        for how, name in (("end", "tracemalloc.1.tms"), ("stay", "tracemalloc.1.live"), ("end", "tracemalloc.1-2.tms"),
                          ("end", "tracemalloc.1-3.tms")):
            process = subprocess.Popen(command + [how], cwd=folder, env=environment, stdout=subprocess.PIPE)
            checks.equal(process.stdout.readline(), b"process 1\n", "its pid")
            if how == "stay":
                process.kill()
            process.stdout.read()
            process.wait()
            process.stdout.close()
            wanted.append(name)
            checks.equal(sorted(os.listdir(folder)), sorted(wanted), "files after " + name)
            for known, content in kept.items():
                checks.that(read(os.path.join(folder, known)) == content, "%s is as it was after %s" % (known, name))
            kept[name] = read(os.path.join(folder, name))

    def others(self):
        done = self.run(OTHERS)
        self.checks.equal((done.code, done.stdout, done.stderr), (0, b"A=B\n1\n1\n['chosen.tms']\n", b""),
                          "no variable without the library; another OUTPUT is the program's own")


def read(path):
    with open(path, "rb") as stream:
        return stream.read()


def main():
    options = traced.arguments(__doc__).parse_args()
    return traced.on_groups(options, interpreters.select(options.pythons), Tester, (Tester.server, Tester.exec_folder),
                            with_few=(Tester.long_environments, Tester.full_environments, Tester.spawns, Tester.daemon, Tester.restarted,
                                      Tester.pool, Tester.exec_fixed, Tester.exec_unfollowed, Tester.others))


if __name__ == "__main__":
    sys.exit(main())
