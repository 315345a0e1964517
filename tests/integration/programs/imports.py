# SPDX-License-Identifier: MIT
"""Imports of large packages: modules found, unmarshalled and run; code and constants that live."""
from measuring import measure

import argparse
import ast
import concurrent.futures
import difflib
import email.mime.multipart
import html.parser
import http.client
import importlib
import inspect
import logging.handlers
import optparse
import pydoc
import tarfile
import unittest.mock
import urllib.request
import xmlrpc.client


def late():
    import bdb
    import cmd
    import pstats
    return [bdb, cmd, pstats]


def failing(name):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        return [name, str(error)]


modules = late()
failures = [failing("no_such_module_%d" % number) for number in range(10)]
tree = ast.parse(inspect.getsource(difflib.SequenceMatcher))
parser = argparse.ArgumentParser(prog="imports")
for number in range(10):
    parser.add_argument("--option%d" % number, default=[number], help="option %d" % number)
options = parser.parse_args(["--option3", "three"])
usage = parser.format_help()
logger = logging.getLogger("imports.program")
logger.addHandler(logging.NullHandler())
for number in range(20):
    logger.warning("message %d of %s", number, [number])
close = difflib.get_close_matches("aple", ["ape", "apple", "peach", "puppy"])
differences = list(difflib.unified_diff(["a\n", "b\n"] * 5, ["a\n", "c\n"] * 5))
again = importlib.reload(optparse)
mock = unittest.mock.MagicMock()
mock.method(1, [2], three={})
signature = inspect.signature(concurrent.futures.Executor.submit)

measure()
