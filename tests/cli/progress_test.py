# SPDX-License-Identifier: MIT
"""Who waits at a terminal is told for what, nobody else is; and what a terminal is spared.

usage: progress_test.py TM_REPORT SNAPSHOT
"""
import os
import pty
import subprocess
import sys
import threading
import time
import unittest

SNAPSHOT = sys.argv.pop()
REPORT = sys.argv.pop()
ERASED = "\r\x1b[K"


def read_all(descriptor):
    text = b""
    while True:
        try:
            part = os.read(descriptor, 65536)
        except OSError:  # how a terminal ends
            break
        if not part:
            break
        text += part
    os.close(descriptor)
    return text.decode()


def run(seconds, terminal, *arguments):
    """stdout, stderr and exit code where standard input needs so many SECONDS to come."""
    ours, theirs = pty.openpty() if terminal else os.pipe()
    process = subprocess.Popen((REPORT,) + arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    said = []
    reader = threading.Thread(target=lambda: said.append(read_all(ours)))
    reader.start()
    time.sleep(seconds)
    with open(SNAPSHOT, "rb") as file:
        out = process.communicate(file.read())[0]
    reader.join()
    return out.decode(), said[0], process.returncode


class Progress(unittest.TestCase):
    def test_a_person_who_waits_is_told(self):
        out, said, code = run(1.2, True, "diff", "-", SNAPSHOT)
        self.assertEqual(code, 0)
        self.assertTrue(out.startswith("old: -: Python 3.11.7"))
        self.assertTrue(said.startswith(ERASED + "loading "), said)
        self.assertIn(", 2 of 2 ...", said)
        self.assertTrue(said.endswith(ERASED), said)

    def test_an_error_has_a_line_of_its_own(self):
        out, said, code = run(1.2, True, "diff", "-", "missing.tms")
        self.assertEqual(code, 1)
        self.assertEqual(said, ERASED + "loading missing.tms, 2 of 2 ..." + ERASED +
                         "tm-report: missing.tms: No such file or directory\r\n")

    def test_nothing_is_said_within_a_second(self):
        for _ in range(20):  # on a machine that is too busy it takes longer
            began = time.monotonic()
            found = run(0, True, "diff", "-", SNAPSHOT)[1:]
            if time.monotonic() - began < 1:
                self.assertEqual(found, ("", 0))
                return
        self.skipTest("the machine is too busy")

    def test_nothing_is_said_where_nobody_looks(self):
        self.assertEqual(run(1.2, False, "diff", "-", SNAPSHOT)[1:], ("", 0))


class Bytes(unittest.TestCase):
    """What is no text does not go to a terminal by itself."""

    def test_a_file_is_wanted(self):
        exports = (("export", "--to", "pprof"), ("export", "--to", "pickle"))
        for words in (("html",), ("symbolize",), ("merge", SNAPSHOT)) + exports:
            ours, theirs = pty.openpty()
            process = subprocess.Popen((REPORT,) + words + (SNAPSHOT,), stdout=theirs, stderr=subprocess.PIPE)
            os.close(theirs)
            said = process.communicate()[1].decode()
            self.assertEqual(read_all(ours), "", words)
            self.assertEqual(process.returncode, 2, words)
            self.assertRegex(said, "^tm-report: .* -o FILE.*; see tm-report %s --help\n$" % words[0])


if __name__ == "__main__":
    unittest.main()
