# SPDX-License-Identifier: MIT
"""Manual pages and completions, as they are installed: read by the programs that read them.

usage: printed_test.py BUILD        what is not installed (a shell, a reader of manual pages) is left out, and said
"""
import os
import re
import shutil
import subprocess
import sys
import unittest

BUILD = sys.argv.pop(1)
COMMANDS = ["top", "diff", "series", "merge", "traceback", "tree", "stats", "export", "html", "symbolize"]
TOOLS = ["tm-report", "tm-run", "tm-snap", "tm-top"]


def path(*parts):
    return os.path.join(BUILD, *parts)


def output(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True,
                          universal_newlines=True, **options).stdout


def needs(program):
    return unittest.skipUnless(shutil.which(program), program + " is not installed")


def options_of(*arguments):
    """The long options that --help shows."""
    text = output(path("bin", "tm-report"), *arguments)
    return set(re.findall(r"^ +(?:-., )?--([a-z-]+)", text, re.MULTILINE))


class Manuals(unittest.TestCase):
    @needs("groff")
    def test_groff_has_nothing_to_say_against_them(self):
        for tool in TOOLS:
            self.assertEqual(output("groff", "-man", "-Tutf8", "-ww", "-z", path("man", tool + ".1")), "", tool)

    @needs("mandoc")
    def test_nor_has_mandoc(self):
        for tool in TOOLS:
            found = subprocess.run(["mandoc", "-T", "lint", "-W", "error", path("man", tool + ".1")],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual((found.returncode, found.stdout), (0, b""), tool)

    @needs("groff")
    def test_everything_is_in_it(self):
        text = output("groff", "-man", "-Tascii", "-P-cbou", path("man", "tm-report.1"))
        for option in options_of("--help"):
            self.assertRegex(text, r"(?m)^ +(-., )?--%s\b" % option)
        for command in COMMANDS:
            self.assertRegex(text, r"(?m)^ +%s( |$)" % command)
        self.assertIn("tm-report export --to folded app.tms | flamegraph.pl", text)
        self.assertIn("--include '*/myapp/*'".replace("--include", "-i"), text)

    @needs("groff")
    def test_those_of_the_other_tools_say_what_help_says(self):
        for tool in TOOLS[1:]:
            text = output("groff", "-man", "-Tutf8", "-P-cbou", "-rLL=200n", path("man", tool + ".1"))
            for line in output(path("bin", tool), "--help").splitlines():
                self.assertIn(line.strip(), text)
            self.assertRegex(text, r"(?m)^ +%s . \w" % tool)


class Completions(unittest.TestCase):
    def check_all(self, complete):
        """COMPLETE gets words and gives what the last of them can become."""
        self.assertEqual(complete("tre"), {"tree"})
        self.assertEqual(complete("--group-by", "mo"), {"module"})
        self.assertEqual(complete("top", "-f", "te"), {"temporary"})
        self.assertEqual(complete("stats", "--no"), set())
        self.assertEqual(complete("stats", "--fo"), {"--format"})
        self.assertEqual(complete("--most"), {"--most-recent-first"})
        for command in COMMANDS:
            self.assertEqual({word[2:] for word in complete(command, "--")}, options_of(command, "--help"), command)

    @needs("bash")
    def test_bash(self):
        script = ('. "$0"; COMP_WORDS=(tm-report "$@"); COMP_CWORD=$#; _tm_report; '
                  'for word in "${COMPREPLY[@]}"; do echo "$word"; done')

        def complete(*words):
            return set(output("bash", "-c", script, path("completions", "tm-report"), *words, cwd=BUILD).split())

        self.check_all(complete)
        self.assertEqual(complete("--group-by", "=", "mo"), {"module"})
        self.assertTrue({"top", "bin", "man"} <= complete(""))
        self.assertIn("bin", complete("top", ""))
        self.assertNotIn("top", complete("top", ""))

    @needs("fish")
    def test_fish(self):
        def complete(*words):
            script = 'source %s; complete -C "tm-report %s"' % (path("completions", "tm-report.fish"), " ".join(words))
            environment = dict(os.environ, HOME=BUILD, XDG_CONFIG_HOME=path("completions", "none"))
            found = output("fish", "--no-config", "-c", script, cwd=path("man"), env=environment)
            return {line.split("\t")[0] for line in found.splitlines()}

        self.check_all(complete)

    @needs("zsh")
    def test_zsh(self):
        """What _arguments, the function of zsh's that does the rest, is called with."""
        script = ('_arguments() { print -rl -- "$@"; }; words=(tm-report "${@[2,-1]}"); CURRENT=$#words; '
                  'emulate -L zsh -o extendedglob; source "$1"')

        def complete(*words):
            found = output("zsh", "-f", "-c", script, "zsh", path("completions", "_tm-report"), *words)
            return set(re.findall(r"^\*--([a-z-]+)", found, re.MULTILINE))

        for command in COMMANDS:
            self.assertEqual(complete(command, "--"), options_of(command, "--help"), command)
        self.assertEqual(complete("--"), options_of("--help"))


if __name__ == "__main__":
    unittest.main()
