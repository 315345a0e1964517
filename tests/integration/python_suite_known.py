# SPDX-License-Identifier: MIT
"""What of Python's own test suite ends differently under the preload, and why.

One that does not differ any more fails python_suite.py: take it out here."""
import collections
import fnmatch

import interpreters

# releases   labels that an interpreter's begins with, separated by commas; empty: all
# method     as the suite names it; * and ? mean what they mean in a shell
Known = collections.namedtuple("Known", "releases module method reason")

NO_FIGURES = "pymalloc prints its own figures only while no hook is before it; so it is with -X tracemalloc"
NAMELESS = "CPython has no name for allocators with a hook before them; with -X tracemalloc neither"

KNOWN = [
    Known("", "test_cmd_line", "test.test_cmd_line.CmdLineTest.test_pythonmalloc", NAMELESS),
    Known("", "test_cmd_line", "test.test_cmd_line.CmdLineTest.test_xdev", NAMELESS),
    Known("3.14", "test_cmd_line", "test.test_cmd_line.CmdLineTest.test_python_malloc_stats",
          "PYTHONMALLOCSTATS: no figures while a hook is before pymalloc; -X tracemalloc takes its own away before the end"),
    Known("3.11,3.12,3.13,3.14", "test_sys", "test.test_sys.SysModuleTest.test_debugmallocstats", NO_FIGURES),
]


def entries(interpreter, module):
    return [one for one in KNOWN if one.module == module and (
        not one.releases or any(interpreters.matches(interpreter.label, prefix) for prefix in one.releases.split(",")))]


def reason(interpreter, module, method):
    """Why METHOD ends differently there; None: it should not."""
    for one in entries(interpreter, module):
        if fnmatch.fnmatchcase(method, one.method):
            return one.reason
    return None


def stale(interpreter, module, methods, differing):
    """The entries for methods that are among METHODS, of which none is among DIFFERING."""
    return [one.method for one in entries(interpreter, module)
            if fnmatch.filter(methods, one.method) and not fnmatch.filter(differing, one.method)]
