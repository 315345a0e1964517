#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Somebody else was in the folder before, or is there meanwhile: nothing is written through a link, no file that is not ours
is changed or removed, nothing is readable by others, and a setuid program is left alone."""
from __future__ import print_function

import glob
import os
import shutil
import stat
import subprocess
import sys

import interpreters
import traced

NOBODY = 65534
VICTIM = b"the victim's\n"

# Every file that the library makes by itself: store, snapshots by threshold, call and end, and those of a child.
WRITES = """
import ctypes, os, sys
kept = [bytearray(1000) for i in range(300)]
status = ctypes.CDLL(None).tracemalloc_take_snapshot(b'api.tms')
child = os.fork()
if child == 0:
    own = [bytearray(1000) for i in range(1000)]
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
names = {}
exec(''.join('def f%d(x): return [x] * 10\\n' % i for i in range(10000)), names)
more = [names['f%d' % i](i) for i in range(10000)] # the store grows
print('done %d' % status)
"""

# Tells what modes there are, and never what others may read: each name is looked at at many moments.
WATCHES = """
import os, sys, threading, time
os.umask(0)
seen = {}
def look():
    for name in os.listdir('.'):
        try:
            seen.setdefault(os.lstat(name).st_mode & 0o7777, name)
        except OSError:
            pass
ended = []
def watch():
    while not ended:
        look()
        time.sleep(0.0005)
thread = threading.Thread(target=watch)
thread.start()
try:
    %s
finally:
    ended.append(1)
    thread.join()
    look()
    print(sorted(seen))
"""

# Plays an attacker who may write to the folder: the store is moved away while it is used, and VICTIM is put into its place.
SWAPS = """
import glob, os, sys
store, = glob.glob('*.live')
os.rename(store, 'elsewhere')
getattr(os, sys.argv[1])('victim', store)
"""


class Tester(traced.Tester):
    def start(self, program, folder, before="", **variables):
        """BEFORE is done by a shell that then becomes the program: what knows its pid can be there before it."""
        path = os.path.join(self.folder.fresh("program"), "program.py")
        with open(path, "w") as stream:
            stream.write(program)
        arguments = variables.pop("arguments", [])
        environment = self.interpreter.environment(**variables)
        command = ["sh", "-c", before + '\nexec env LD_PRELOAD="$0" "$@"', self.options.library, self.interpreter.path, path]
        return traced.run(command + arguments, folder, environment)

    def with_victim(self):
        folder = self.folder.fresh()
        with open(os.path.join(folder, "victim"), "wb") as stream:
            stream.write(VICTIM)
        os.chmod(os.path.join(folder, "victim"), 0o640)
        return folder

    def unharmed(self, folder, what):
        """The victim is as it was, and nothing has come to be where a dangling link points."""
        path = os.path.join(folder, "victim")
        with open(path, "rb") as stream:
            content = stream.read()
        self.checks.equal((content, stat.S_IMODE(os.stat(path).st_mode)), (VICTIM, 0o640), what + ": the victim")
        self.checks.that(not os.path.lexists(os.path.join(folder, "nowhere")), what + ": nothing behind a dangling link")

    def planted(self):
        """Links, folders and pipes wherever a file of ours is to be."""
        names = ("tracemalloc.$$.live", "out.0001.tms", "out.0002.tms", "out.tms", "out.tms.$$.part", "out.0001.tms.$$.part",
                 "api.tms", "api.tms.$$.part")
        plants = (("ln -s victim %s", "links"), ("ln -s nowhere %s", "dangling links"), ("ln victim %s", "hard links"),
                  ("mkdir %s", "folders"), ("mkfifo %s", "pipes"), ("ln -s . %s", "links to a folder"))
        for variables in ({}, {"TRACEMALLOC_THRESHOLD": "2MiB"}, {"TRACEMALLOC_BLOCKS": "1"}):
            for plant, what in plants:
                folder = self.with_victim()
                what = "%s, %s" % (what, variables)
                before = "\n".join(plant % name for name in names)
                done = self.start(WRITES, folder, before, TRACEMALLOC_OUTPUT="out.tms", **variables)
                self.checks.that(done.code == 0 and done.stdout.startswith(b"done "), what + ": the program",
                                 (done.code, done.stdout, done.stderr))
                lines = done.stderr.splitlines()
                self.checks.that(all(line.startswith(b"libtracemalloc: ") for line in lines), what + ": stderr", done.stderr)
                self.unharmed(folder, what)
                # The store has another name then, and the child's files are there in any case.
                ours = [path for path in done.snapshots() if not os.path.islink(path) and os.path.isfile(path) and
                        os.stat(path).st_nlink == 1]
                self.checks.that(len(ours) >= 1, what + ": snapshots", done.names())
                for path in ours:
                    self.checks.equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, what + ": mode of " + os.path.basename(path))
                    traced.statistics(self.options.report, path)

    def swapped(self):
        """The store's name is another file's while the process runs: that one stays, and is neither written nor removed."""
        for how in ("symlink", "link"):
            folder = self.with_victim()
            done = self.start(SWAPS + WRITES, folder, arguments=[how])
            self.checks.equal((done.code, done.stdout), (0, b"done 0\n"), how + ": the program")
            self.unharmed(folder, how)
            stores = [path for path in glob.glob(os.path.join(folder, "*.live"))]
            self.checks.equal(len(stores), 1, how + ": what was put there stays")
            self.checks.that(stores and os.path.samefile(stores[0], os.path.join(folder, "victim")), how + ": it is the victim's",
                             stores)

    def modes(self):
        """With umask 0 each file is 0600 from its first moment on."""
        body = "\n    ".join(line for line in WRITES.strip().splitlines() if not line.startswith("import"))
        program = "import ctypes\n" + WATCHES % body
        for variables in ({}, {"TRACEMALLOC_BLOCKS": "1", "TRACEMALLOC_THRESHOLD": "2MiB"}):
            folder = self.folder.fresh()
            done = self.start(program, folder, PYTHONWARNINGS="ignore", **variables)
            self.checks.equal((done.code, done.stdout.splitlines()[-1:], done.stderr), (0, [b"[384]"], b""), "modes, %s" % variables)
            for name in done.names():
                mode = os.lstat(os.path.join(folder, name)).st_mode
                self.checks.that(stat.S_ISREG(mode) and stat.S_IMODE(mode) == 0o600, "mode of " + name, oct(mode))
        for mask in ("0", "0777"):
            folder = self.folder.fresh()
            done = self.start("import os, time\nx = [0] * 1000\nos.kill(os.getpid(), 9)\n", folder)
            store = os.path.basename((done.stores() + ["?"])[0])
            for words in (["%s", "-o", "taken.tms"], ["--collect"]):
                words = [word.replace("%s", store) for word in words]
                subprocess.check_call(["sh", "-c", 'umask %s; exec "$@" >&2' % mask, "sh", self.options.snap] + words, cwd=folder,
                                      stderr=subprocess.DEVNULL)
            modes = [(name, stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode)) for name in done.names()]
            self.checks.equal([mode for _, mode in modes], [0o600, 0o600], "tm-snap with umask %s: %s" % (mask, modes))

    def others_folder(self):
        """In a folder that everybody may write to and where nobody owns what: another user's file is no file of ours."""
        if os.geteuid() != 0:
            self.checks.skip("another user's files", "needs root")
            return
        folder = self.with_victim()
        os.chmod(folder, 0o1777)
        done = self.start(WRITES, folder, "for name in tracemalloc.$$.live out.tms api.tms; do : >$name; chown %d $name; done" %
                          NOBODY, TRACEMALLOC_OUTPUT="out.tms")
        self.checks.equal((done.code, done.stderr), (0, b""), "code and stderr")
        sizes = [(os.path.getsize(path), os.stat(path).st_uid) for path in done.stores()]
        self.checks.equal(sizes, [(0, NOBODY)], "their store's name is left to them")
        owners = [os.stat(os.path.join(folder, name)).st_uid for name in ("out.tms", "api.tms")]
        self.checks.equal(owners, [0, 0], "what replaced theirs is ours alone")
        self.unharmed(folder, "another user's files")

    def collected(self):
        """tm-snap --collect in a folder in which somebody prepared the names, also that of its temporary file."""
        folder = self.with_victim()
        done = self.start("import os\nx = [bytearray(1000) for i in range(500)]\nos.kill(os.getpid(), 9)\n", folder)
        store = os.path.basename(done.stores()[0])
        snapshot = store.replace(".live", ".tms")
        second = snapshot.replace(".tms", "-2.tms")
        plant = ("ln -s victim a.live; ln victim b.live; mkdir c.live; mkfifo d.live; ln -s nowhere %s; ln -s victim %s.$$.part; "
                 "ln -s victim %s.$$.part; for n in $(seq 2 100); do ln -s victim %s.$$-$n.part; done; "
                 "exec \"$0\" --collect" % (snapshot, snapshot, second, second))
        planted = ["a.live", "b.live", "c.live", "d.live", snapshot]
        done = traced.run(["sh", "-c", plant, self.options.snap], folder, self.interpreter.environment(), timeout=60)
        self.checks.that(done.code == 1 and b"Traceback" not in done.stderr, "what is in the way is said", (done.code, done.stderr))
        self.checks.equal([name for name in planted if not os.path.lexists(os.path.join(folder, name))], [], "what was planted stays")
        self.checks.that(os.path.exists(os.path.join(folder, store)), "the store stays where its snapshot cannot be made", done.names())
        self.unharmed(folder, "--collect")
        plant = 'ln -s victim %s.$$.part; exec "$0" --collect' % second
        done = traced.run(["sh", "-c", plant, self.options.snap], folder, self.interpreter.environment(), timeout=60)
        self.checks.equal(done.stdout.decode(), second + "\n", "where one temporary name is free it goes on")
        self.checks.that(not os.path.islink(os.path.join(folder, second)), "to a file of its own", done.names())
        self.checks.that(not os.path.exists(os.path.join(folder, store)), "the store became the snapshot", done.names())
        self.unharmed(folder, "--collect again")

    def reported(self):
        """What tm-report writes goes through no link that somebody else made, nor to where a link leads nowhere."""
        golden = os.path.join(traced.ROOT, "tests", "golden", "v1-basic.tms")
        for planted, is_theirs in (("victim", True), ("nowhere", True), ("victim", False)):
            if is_theirs and os.geteuid() != 0:
                self.checks.skip("another user's links", "needs root")
                continue
            folder = self.with_victim()
            link = os.path.join(folder, "out")
            os.symlink(planted, link)
            if is_theirs:
                os.lchown(link, NOBODY, NOBODY)
            done = traced.run([self.options.report, "merge", golden, golden, "-o", "out"], folder, self.interpreter.environment())
            if is_theirs:
                self.checks.equal((done.code, done.stderr), (1, b"tm-report: out: is another user's link: it is not followed, give "
                                                             b"another name\n"), "their link to " + planted)
                self.unharmed(folder, "tm-report, " + planted)
            else:
                self.checks.equal((done.code, os.path.islink(link)), (0, True), "one's own link is followed")
                self.checks.that(os.path.getsize(os.path.join(folder, "victim")) > 100, "to where it leads")
        folder = self.with_victim()
        plant = 'ln -s nowhere out; ln -s victim out.$$.part; exec "$0" merge "$1" "$1" -o out'
        done = traced.run(["sh", "-c", plant, self.options.report, golden], folder, self.interpreter.environment())
        self.checks.that(done.code == 1 and done.stderr.count(b"\n") == 1, "a planted temporary name", (done.code, done.stderr))
        self.unharmed(folder, "a planted temporary name")

    def setuid(self):
        """A program with rights that its user has not (AT_SECURE), into which the system itself preloads the library."""
        if os.geteuid() != 0 or subprocess.call(["unshare", "-m", "true"], stderr=subprocess.DEVNULL) != 0:
            self.checks.skip("a setuid program", "needs root and unshare")
            return
        folder = self.folder.fresh()
        for place in (self.folder.path, folder):
            os.chmod(place, 0o755)
        os.mkdir(os.path.join(folder, "out"))
        os.chmod(os.path.join(folder, "out"), 0o777)
        program = os.path.join(folder, "python")
        library = os.path.join(folder, "libtracemalloc.so")
        shutil.copy(self.interpreter.path, program)
        shutil.copy(self.options.library, library)
        shutil.copytree("/etc", os.path.join(folder, "etc"), symlinks=True)
        with open(os.path.join(folder, "etc", "ld.so.preload"), "w") as stream:
            stream.write(library + "\n")
        script = ('mount --bind "$1/etc" /etc && cd "$1/out" && chmod "$2" ../python && '
                  'TRACEMALLOC_OUTPUT="$1/out/$2.tms" TRACEMALLOC_VERBOSE=1 setpriv --reuid %d --regid %d --clear-groups '
                  '"$1/python" -S -c "import os; print(os.geteuid(), os.getuid())"' % (NOBODY, NOBODY))
        environment = self.interpreter.environment(PYTHONHOME=os.path.dirname(os.path.dirname(self.interpreter.path)),
                                                   LD_LIBRARY_PATH="")
        found = {}
        for mode in ("0755", "4755"):
            done = traced.run(["unshare", "-m", "sh", "-c", script, "sh", folder, mode], folder, environment)
            if mode == "0755" and done.code != 0:
                self.checks.skip("a setuid program", "the interpreter does not run as another user: %r" % done.stderr[-200:])
                return
            found[mode] = (done.code, done.stdout, done.stderr if mode == "4755" else b"", sorted(os.listdir(os.path.join(folder, "out"))))
        self.checks.equal(found["0755"][1:], (b"%d %d\n" % (NOBODY, NOBODY), b"", ["0755.tms"]), "without the bit it is traced")
        self.checks.equal(found["4755"], (0, b"0 %d\n" % NOBODY, b"", ["0755.tms"]), "with it nothing is traced, said or written")


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--snap", required=True, type=os.path.abspath, help="tm-snap")
    options = parser.parse_args()
    options.report = os.path.abspath(options.report)
    chosen = traced.few(options, interpreters.select(options.pythons, python3_only=True))
    setuid = [one for one in interpreters.select(options.pythons, python3_only=True) if os.path.dirname(one.path) == "/usr/bin"]
    codes = [traced.on_groups(options, chosen, Tester, (Tester.planted, Tester.swapped, Tester.modes, Tester.others_folder, Tester.collected, Tester.reported))]
    # One that another user may run, with its libraries: the system's.
    if setuid:
        codes.append(traced.on_groups(options, setuid[-1:], Tester, (Tester.setuid,)))
    return max([code for code in codes if code != traced.SKIPPED] or [traced.SKIPPED])


if __name__ == "__main__":
    sys.exit(main())
