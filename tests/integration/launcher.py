#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tm-run: what it runs and how, the flags, the line on a terminal, signals, programs that cannot be traced."""
from __future__ import print_function

import os
import pty
import re
import signal
import subprocess
import sys

import interpreters
import traced

ROWS = os.path.join(traced.ROOT, "src", "base", "config_options.h")
APP = "import sys\nx = [bytearray(1000) for _ in range(1000)]\nprint('ran', sys.argv[1:])\n"

# Runs until there is a snapshot that nobody but a signal asked for.
UNTIL_SNAPSHOT = """
import os, time
print('ready', flush=True)
end = time.time() + 60
while time.time() < end and not [name for name in os.listdir('.') if name.endswith('.0001.tms')]:
    y = [(i, i) for i in range(100)]
print('found', len([name for name in os.listdir('.') if name.endswith('.0001.tms')]))
"""

# Good values of the options that do not take 0.
VALUES = {"NFRAME": "3", "START": "off", "INTERVAL": "1h", "KEEP": "2", "THRESHOLD": "1GiB", "SIGNAL": "USR1", "FOLLOW": "exec",
          "MEMORY_LIMIT": "64MiB"}


def option_rows():
    """(name, default) of each."""
    with open(ROWS) as stream:
        text = stream.read()
    output = re.search(r'#define TM_OUTPUT_DEFAULT (".*")', text).group(1)
    rows = text.split("#define TM_OPTION_MAP(X)")[1].replace("TM_OUTPUT_DEFAULT", output)
    return re.findall(r'^ *X\((\w+), \w+, "([^"]*)",', rows, re.MULTILINE)


def readme_rows():
    """(name, default) of each row of the table of options."""
    with open(os.path.join(traced.ROOT, "README.md")) as stream:
        rows = re.findall(r"^\| `TRACEMALLOC_(\w+)` \| ([^|]*) \| [^|]+ \|$", stream.read(), re.MULTILINE)
    return [(name, default.replace("`", "")) for name, default in rows]


class Tester(traced.Tester):
    def __init__(self, *given):
        traced.Tester.__init__(self, *given)
        bin_folder = self.folder.fresh("bin")
        os.symlink(self.interpreter.path, os.path.join(bin_folder, "python3"))
        self.path = bin_folder + ":" + os.environ["PATH"]

    def work(self):
        folder = self.folder.fresh()
        os.makedirs(os.path.join(folder, "pack"))
        for name in ("app.py", os.path.join("pack", "__main__.py"), "mod.py", "text"):
            with open(os.path.join(folder, name), "w") as stream:
                stream.write(APP)
        return folder

    def environment(self, **variables):
        return self.interpreter.environment(PATH=self.path, **variables)

    def run(self, *arguments, **variables):
        return traced.run((self.options.run,) + arguments, self.work(), self.environment(**variables))

    def snapshot(self, done):
        return traced.statistics(self.options.report, done.snapshots()[0])["snapshot"]

    def programs(self):
        """app.py, -m, -c, a folder and any program run; 25 frames unless said otherwise; LD_PRELOAD is prepended to."""
        checks = self.checks
        for arguments in (["app.py", "--x"], ["--", "app.py", "--x"], ["-m", "mod", "--x"], ["-m", "pack", "--x"],
                          ["pack", "--x"], ["-c", APP, "--x"], ["python3", "app.py", "--x"], ["./app.py", "--x"]):
            done = self.run(*arguments)
            checks.equal((done.code, done.stdout, done.stderr), (0, b"ran ['--x']\n", b""), " ".join(arguments)[:20])
            if checks.equal((len(done.snapshots()), done.stores()), (1, []), "files of " + arguments[0]):
                checks.equal(self.snapshot(done)["traceback_limit"], 25, "frames of " + arguments[0])
        done = self.run("--nframe", "3", "--output=named.tms", "app.py", TRACEMALLOC_NFRAME="7")
        checks.equal([os.path.basename(name) for name in done.snapshots()], ["named.tms"], "--output=named.tms")
        checks.equal(self.snapshot(done)["traceback_limit"], 3, "a flag wins over the variable")
        done = self.run("app.py", TRACEMALLOC_NFRAME="7")
        checks.equal(self.snapshot(done)["traceback_limit"], 7, "a variable wins over tm-run's own")
        done = self.run("--verbose", "app.py")
        checks.that(b"libtracemalloc: wrote " in done.stderr, "--verbose", done.stderr)
        done = self.run("sh", "-c", "echo $LD_PRELOAD")
        checks.equal(done.stdout.decode().strip(), self.options.library, "LD_PRELOAD")
        done = self.run("sh", "-c", "echo $LD_PRELOAD", LD_PRELOAD="libdl.so.2 libm.so.6")
        checks.equal(done.stdout.decode().strip(), self.options.library + ":libdl.so.2 libm.so.6", "what was preloaded stays")
        checks.equal(self.run("sh", "-c", "exit 41").code, 41, "the exit code")
        for program, code, words in (("./missing", 127, b"No such file"), ("./text", 126, b"Permission denied")):
            done = self.run(program)
            checks.equal((done.code, done.stdout), (code, b""), program)
            checks.that(done.stderr.count(b"\n") == 1 and words in done.stderr, program + ": one line", done.stderr)
        checks.equal(self.run("--print-library").stdout.decode().strip(), self.options.library, "--print-library")

    def table(self):
        """Each row of the table is a flag, a line of --help and a row of the README, in this order and with this default."""
        text = self.run("--help").stdout.decode()
        rows = option_rows()
        self.checks.that(len(rows) >= 6 and rows[0] == ("NFRAME", "1"), "the rows", rows)
        self.checks.equal(readme_rows(), rows, "the README's table")
        for name, _ in rows:
            flag = "--" + name.lower().replace("_", "-")
            self.checks.that(re.search("^  %s " % flag, text, re.MULTILINE), "--help has " + flag, text)
            value = VALUES.get(name, "0")
            done = self.run(flag + "=" + value, "sh", "-c", "echo $TRACEMALLOC_" + name)
            self.checks.equal(done.stdout.decode(), value + "\n", flag)

    def wrong_values(self):
        """They are said before the program runs, in the library's words."""
        for arguments, variables, words in ((["--nframe", "0"], {}, "TRACEMALLOC_NFRAME=0 is not allowed, it takes 1 to 65535"),
                                            (["--interval=often"], {}, "TRACEMALLOC_INTERVAL=often"),
                                            ([], {"TRACEMALLOC_NFRAMES": "3"}, "nearest is TRACEMALLOC_NFRAME")):
            done = self.run(*(arguments + ["app.py"]), **variables)
            self.checks.equal((done.code, done.stdout), (2, b""), "%s: code and output" % words)
            message = done.stderr.decode()
            self.checks.that(message.count("\n") == 1 and message.startswith("tm-run: ") and words in message, words, message)

    def terminal(self, *arguments, **options):
        """On a terminal: (waitpid's status, what was shown, the folder)."""
        act = options.pop("act", None)
        folder = self.work()
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(folder)
            os.execve(self.options.run, (self.options.run,) + arguments, self.environment(**options))
        shown = b""
        while True:
            try:
                part = os.read(terminal, 4096)
            except OSError:
                break
            if not part:
                break
            shown += part
            if act and b"ready" in shown:
                act(child, terminal)
                act = None
        os.close(terminal)
        return os.waitpid(child, 0)[1], shown.decode().replace("\r\n", "\n"), folder

    def last_line(self):
        checks = self.checks
        status, shown, folder = self.terminal("app.py")
        name = [name for name in os.listdir(folder) if name.endswith(".tms")][0]
        checks.equal(status, 0, "exit code on a terminal")
        checks.that(re.match(r"ran \[\]\ntm-run: wrote %s: live [\d.]+ [KM]iB, peak [\d.]+ [KM]iB, 25 frames a traceback; "
                             r"see: tm-report %s\n$" % (name, name), shown), "the last line", shown)
        status, shown, folder = self.terminal("--output=out/", "sh", "-c", "mkdir out; exec python3 app.py")
        checks.that("tm-run: wrote out/tracemalloc." in shown, "the last line of another folder", shown)
        for output, name in (("out-%p", r"out-\d+"), ("%e.%n", r"python3[.\d]*\.0001"), ("plain", "plain"),
                             ("./deep.%n.snapshot", r"\./deep\.0001\.snapshot")):
            status, shown, folder = self.terminal("--output", output, "app.py")
            checks.that(re.search(r"\ntm-run: wrote (\./)?%s: live " % name, shown), "the last line of --output " + output, shown)
        status, shown, folder = self.terminal("--output", "missing/app.tms", "app.py")
        checks.that("could not be written" in shown and shown.endswith("or none could be written\n"), "nothing could be written",
                    shown)
        status, shown, _ = self.terminal("sh", "-c", "exit 3")
        checks.equal(os.WEXITSTATUS(status), 3, "an exit code on a terminal")
        checks.that(shown.startswith("tm-run: process ") and "no Python was traced" in shown, "nothing was written", shown)
        status, shown, _ = self.terminal("missing-program")
        checks.equal((os.WEXITSTATUS(status), shown), (127, "tm-run: missing-program: No such file or directory\n"),
                     "no program")

    def signals(self):
        checks = self.checks
        status, shown, folder = self.terminal("-c", "import os; os.kill(os.getpid(), 9)")
        checks.equal(os.WTERMSIG(status), 9, "death by a signal")
        checks.that(re.search(r"cut short and left tracemalloc\.\d+\.live: live ", shown), "the store is named", shown)
        waiting = "import time\nprint('ready', flush=True)\ntime.sleep(60)"
        status, shown, _ = self.terminal("-c", waiting, act=lambda child, _: os.kill(child, signal.SIGTERM))
        checks.equal(os.WTERMSIG(status), signal.SIGTERM, "SIGTERM is handed on")
        for name, number in (("PROF", signal.SIGPROF), ("34", 34), ("64", 64)):
            status, shown, folder = self.terminal("--signal", name, "-c", UNTIL_SNAPSHOT,
                                                  act=lambda child, _, number=number: os.kill(child, number))
            checks.equal((status, "found 1\n" in shown), (0, True), "signal %s is handed on" % name)
        counting = ("import signal, time\nn = []\nsignal.signal(signal.SIGINT, lambda *_: n.append(1))\n"
                    "print('ready', flush=True)\nend = time.time() + 0.5\nwhile time.time() < end: time.sleep(0.05)\n"
                    "print('interrupted', len(n))")
        for how, act in (("by ^C", lambda _, terminal: os.write(terminal, b"\x03")),
                         ("by kill", lambda child, _: os.kill(child, signal.SIGINT))):
            status, shown, _ = self.terminal("-c", counting, act=act)
            checks.that(status == 0 and "interrupted 1\n" in shown, "one SIGINT " + how, shown)

    def untraceable(self):
        """Compiled here: linked statically, with musl's name for ld.so, for 32 bits; made setuid."""
        source = os.path.join(self.folder.fresh(), "small.c")
        with open(source, "w") as stream:
            stream.write("#include <stdio.h>\nint main(void) { puts(\"ran\"); return 0; }\n")
        for words, flags in (("linked statically", ["-static"]), ("linked with musl", ["-Wl,-I/lib/ld-musl-x86_64.so.1"]),
                             ("64-bit x86", ["-m32", "-c"])):
            program = source + "." + words.replace(" ", "-")
            if subprocess.call(["gcc", source, "-o", program] + flags, stderr=subprocess.DEVNULL) != 0:
                self.checks.skip("a program " + words, "gcc does not make it")
                continue
            os.chmod(program, 0o755)
            done = self.run(program)
            lines = done.stderr.decode().splitlines()
            self.checks.that(lines and words in lines[0] and lines[0].endswith("it runs untraced"), words, lines)
            if "-static" in flags:
                self.checks.equal((done.code, done.stdout, len(lines)), (0, b"ran\n", 1), words + ": it ran")


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--run", required=True, type=os.path.abspath, help="tm-run")
    options = parser.parse_args()
    options.library = os.path.realpath(options.library)
    chosen = interpreters.select(options.pythons, python3_only=True)
    return traced.on_groups(options, chosen if options.full else chosen[-1:], Tester,
                            (Tester.programs, Tester.table, Tester.wrong_values, Tester.last_line, Tester.signals,
                             Tester.untraceable))


if __name__ == "__main__":
    sys.exit(main())
