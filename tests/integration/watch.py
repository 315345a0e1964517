#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tm-top: the picture, the keys, and the terminal afterwards."""
from __future__ import print_function

import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time

import fcntl

import interpreters
import outside
import traced

GROWING = os.path.join(traced.HERE, "applications", "growing.py")
UNITS = {"B": 1, "KiB": 1024, "MiB": 1024 ** 2, "GiB": 1024 ** 3}
SIZE = r"([+-]?[\d.]+) ([KMG]?i?B)"


def line_of(mark):
    with open(GROWING) as stream:
        return [number for number, line in enumerate(stream, 1) if line.endswith("# %s\n" % mark)][0]


def row_of(text, line):
    """(size, growth, allocated each second) of a line of GROWING in a picture; None when it is not there."""
    found = re.search(r"^ *%s +%s +(?:[\d,]+ +)?%s/s  .*growing\.py:%d\b" % (SIZE, SIZE, SIZE, line), text, re.MULTILINE)
    values = found.groups() if found else ()
    return [float(values[i]) * UNITS[values[i + 1]] for i in range(0, len(values), 2)] if found else None


class Screen(object):
    """tm-top on a terminal of 80 columns and 24 lines."""

    def __init__(self, tester, *arguments):
        child, self.terminal = pty.fork()
        if child == 0:
            time.sleep(0.2)  # until the size is set
            os.execv(tester.options.top, (tester.options.top,) + arguments)
        self.pid, self.shown = child, ""
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.terminal)

    def read(self, until, seconds=15):
        """Reads until UNTIL (an expression) was shown since the last call; what was shown."""
        end, start = time.time() + seconds, len(self.shown)
        os.set_blocking(self.terminal, False)
        while time.time() < end and not re.search(until, self.shown[start:]):
            try:
                self.shown += os.read(self.terminal, 65536).decode("utf-8", "replace")
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                break
        return self.shown[start:]

    def press(self, keys):
        os.write(self.terminal, keys.encode())

    def end(self):
        """waitpid's status, and whether the terminal is as it was."""
        self.read(r"\x1b\[\?1049l")
        end = time.time() + 5
        while termios.tcgetattr(self.terminal) != self.before and time.time() < end:
            time.sleep(0.01)  # its settings come back after its picture
        restored = termios.tcgetattr(self.terminal) == self.before and self.shown.endswith("\x1b[?7h\x1b[?25h\x1b[?1049l")
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.terminal)
        return status, restored


class Tester(outside.Tester):
    def top(self, *arguments, **variables):
        return traced.run([self.options.top] + [str(word) for word in arguments], self.folder.fresh(),
                          self.interpreter.environment(**variables))

    def once(self):
        checks, grows, passes = self.checks, line_of("grows"), line_of("comes and goes")
        with outside.Process(self, GROWING, "300") as process:
            for arguments in (["-s", "growth"], ["-s", "rate"], ["-s", "rate", "-g", "traceback"], ["-s", "growth", "-d", "0.5"]):
                done = self.top("--once", process.pid, *arguments)
                text = done.stdout.decode()
                checks.equal((done.code, done.stderr), (0, b""), "--once")
                lines = text.splitlines()
                checks.that(len(lines) <= 24 and max(len(line) for line in lines) <= 80, "80x24", text)
                first = row_of(lines[9], grows if arguments[1] == "growth" else passes)
                if not checks.that(first, "the first row, sorted by " + arguments[1], text):
                    continue
                size, growth, rate = first
                if arguments[1] == "growth":
                    checks.that(10e3 < growth <= size and 10e3 < rate < 1.1e6, "growth of the line that grows", first)
                else:
                    # How fast both go is the machine's affair; one allocates ten times what the other does.
                    slower = row_of(text, grows)
                    checks.that(slower and abs(growth) < 110e3 and 8 * slower[2] < rate < 13 * slower[2],
                                "rate of the line that allocates", (first, slower))
                domains = re.findall(r"^(raw|mem|obj|native) +[\d.]+ [KM]?i?B +[+-]", text, re.MULTILINE)
                checks.equal(domains, ["raw", "mem", "obj", "native"], "domains")
            text = self.top("--once", "-g", "filename", "-c", process.pid, COLUMNS="120", LINES="40").stdout.decode()
            checks.that(re.search(r"GROWTH +BLOCKS +ALLOC/S", text) and re.search(r"/s  \S*growing\.py$", text, re.MULTILINE),
                        "by file, 120 columns", text)
            checks.that("(estimates)" not in text, "what is counted is no estimate", text)
            done = self.top(process.pid)
            checks.that(done.code == 2 and b"needs a terminal" in done.stderr, "without a terminal", done.stderr)
        done = self.top("--once", process.pid)
        checks.that(done.code == 1 and b"is not running" in done.stderr, "dead", done.stderr)
        with outside.Process(self, GROWING, "300", TRACEMALLOC_SAMPLE="4KiB") as process:
            text = self.top("--once", process.pid).stdout.decode()
            checks.that(re.search(r"^traced [\d.]+ [KMG]iB \(estimates\), peak.*, skew [\d.]+ [KMG]?i?B$", text, re.MULTILINE), "sampled", text)

    def on_screen(self):
        checks = self.checks
        with outside.Process(self, GROWING, "300") as process:
            screen = Screen(self, "-d", "0.3", str(process.pid))
            shown = screen.read(r"z zero\x1b\[J")
            checks.that("tm-top - process %d" % process.pid in shown and "\x1b[?1049h" in shown, "a picture", shown)
            screen.press("g")
            checks.that("*GROWTH" in screen.read(r"\*GROWTH[^*]*\x1b\[J"), "sorted by growth")
            screen.press("r")
            checks.that("*ALLOC/S" in screen.read(r"\*ALLOC/S[^*]*\x1b\[J"), "sorted by rate")
            screen.press("f")
            checks.that(re.search(r"growing\.py\x1b\[K", screen.read(r"growing\.py\x1b\[K")), "by file")
            screen.press("lz")
            checks.that(screen.read(r", \+[\d.]+ [KM]?i?B in 0 s of watching"), "growth from now")
            screen.press("q")
            checks.equal(screen.end(), (0, True), "q")
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                screen = Screen(self, str(process.pid))
                screen.read(r"z zero\x1b\[J")
                os.kill(screen.pid, number)
                checks.equal(screen.end(), (number, True), "signal %d" % number)
            screen = Screen(self, "-d", "0.2", str(process.pid))
            screen.read(r"z zero\x1b\[J")
            process.kill()
            checks.that(screen.read("is not running"), "the process ends")
            screen.press("q")
            checks.equal(screen.end(), (0, True), "q after the end")

    def in_tmux(self):
        """What a person sees: the picture in place, ^Z and fg, the shell's screen afterwards."""
        checks = self.checks
        if not shutil.which("tmux"):
            checks.skip("tmux", "not installed")
            return
        server = ["tmux", "-L", "tm-test-%d" % os.getpid(), "-f", "/dev/null"]

        def pane():
            return subprocess.run(server + ["capture-pane", "-p"], stdout=subprocess.PIPE).stdout.decode()

        def await_pane(words):
            for _ in range(100):
                if re.search(words, pane(), re.MULTILINE):
                    return True
                time.sleep(0.1)
            return False

        def keys(*words):
            subprocess.check_call(server + ["send-keys"] + list(words))

        with outside.Process(self, GROWING, "300") as process:
            environment = self.interpreter.environment(TERM="xterm")
            subprocess.check_call(server + ["new-session", "-d", "-x", "80", "-y", "24", "env PS1='shell> ' bash --norc --noediting -i"], env=environment)
            try:
                checks.that(await_pane("shell>"), "a shell", pane())
                keys("echo before; %s -d 0.5 %d" % (self.options.top, process.pid), "Enter")
                checks.that(await_pane(r"^q quit .* zero$"), "keys in the last line", pane())
                lines = pane().splitlines()
                checks.that(len(lines) == 24 and lines[0].startswith("tm-top - process %d: " % process.pid)
                            and lines[2].startswith("DOMAIN") and "LOCATION" in lines[8], "the picture", pane())
                keys("C-z")
                checks.that(await_pane("Stopped") and "before" in pane() and "DOMAIN" not in pane(), "^Z", pane())
                keys("fg", "Enter")
                checks.that(await_pane(r"^q quit .* zero$"), "fg", pane())
                keys("q")
                checks.that(await_pane(r"^shell> *$"), "q", pane())
                keys("echo aft''er", "Enter")
                checks.that(await_pane("^after") and "DOMAIN" not in pane() and "echo aft''er" in pane(), "afterwards", pane())
            finally:
                subprocess.call(server + ["kill-server"])


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--top", required=True, type=os.path.abspath, help="tm-top")
    options = parser.parse_args()
    chosen = interpreters.select(options.pythons)
    return traced.on_groups(options, chosen if options.full else chosen[-1:], Tester,
                            (Tester.once, Tester.on_screen, Tester.in_tmux))


if __name__ == "__main__":
    sys.exit(main())
