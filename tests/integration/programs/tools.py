# SPDX-License-Identifier: MIT
"""A program's tools: unittest with mock, doctest, argparse, ast and its visitors, tokenize, inspect, dis, string templates, pprint."""
from measuring import measure

import argparse
import ast
import dis
import doctest
import inspect
import io
import pprint
import shlex
import string
import tokenize
import unittest
import unittest.mock

SOURCE = '''
def function(first, second=3, *rest, **named):
    """Adds.

    >>> function(1)
    [1, 3]
    >>> function([])
    Traceback (most recent call last):
    TypeError
    """
    if isinstance(first, list):
        raise TypeError
    return [first, second, *rest]

class Thing:
    number = 5
    def method(self): return lambda: [self.number]
'''

namespace = {"__name__": "made", "__doc__": None}
exec(compile(SOURCE, "<tool>", "exec"), namespace)
function = namespace["function"]


class Cases(unittest.TestCase):
    def setUp(self):
        self.made = [[number] for number in range(10)]

    def test_passes(self):
        self.assertEqual(self.made[3], [3])

    def test_fails(self):
        self.assertEqual({"a": [1, 2], "b": self.made}, {"a": [1, 3], "b": []})

    def test_raises(self):
        with self.assertRaises(KeyError):
            {}["missing"]
        raise ValueError([self.made])

    def test_parts(self):
        for number in range(5):
            with self.subTest(number=number):
                self.assertLess(number, 4)

    def test_mock(self):
        with unittest.mock.patch("os.getcwd", return_value="/nowhere") as mocked:
            import os
            self.assertEqual(os.getcwd(), "/nowhere")
        mocked.assert_called_once_with()
        thing = unittest.mock.MagicMock()
        thing.method(1, key=[2]).other["x"] = 3
        self.assertTrue(thing.mock_calls)


suite = unittest.TestSuite(map(Cases, ("test_passes", "test_fails", "test_raises", "test_parts", "test_mock")))
results = unittest.TestResult()
suite.run(results)
reported = [text for _, text in results.failures + results.errors]

finder = doctest.DocTestFinder()
runner = doctest.DocTestRunner(verbose=False)
said = io.StringIO()
outcomes = [runner.run(test, out=said.write) for test in finder.find(function, "function", globs=dict(namespace))]

parser = argparse.ArgumentParser("tool", description="text " * 20)
parser.add_argument("--number", type=int, default=[])
parser.add_argument("names", nargs="*")
commands = parser.add_subparsers() if False else None
options = [parser.parse_args(["--number", str(number), "a", "b%d" % number]) for number in range(1000, 1010)]
usage = parser.format_help()

tree = ast.parse(SOURCE)


class Names(ast.NodeVisitor):
    def __init__(self):
        self.found = []

    def generic_visit(self, node):
        self.found.append((type(node).__name__, getattr(node, "lineno", None)))
        super().generic_visit(node)


names = Names()
names.visit(tree)
dumped = ast.dump(tree)
evaluated = ast.literal_eval("{'a': [1, 2.5, (3, None)], 'b': b'x', 'c': {1, 2}}")
tokens = list(tokenize.generate_tokens(io.StringIO(SOURCE).readline))
signature = inspect.signature(function)
bound = [signature.bind(number, 5, 6, key=[number]) for number in range(1000, 1010)]
members = inspect.getmembers(namespace["Thing"])
code = [(one.opname, one.argrepr) for one in dis.get_instructions(function)]
shown = pprint.pformat({number: [[number] * 8] * 3 for number in range(15)})
words = shlex.split("a 'b c' \"d e\" f\\ g " * 8)
filled = [string.Template("$name is ${value}").substitute(name="name %d" % number, value=[number]) for number in range(20)]

measure()
