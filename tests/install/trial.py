# SPDX-License-Identifier: MIT
"""What the tests of this folder share.  Arguments: the source tree, the build tree, cmake, the C compiler."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT, BUILD, CMAKE, COMPILER = sys.argv[1:5]
del sys.argv[1:5]


def generator():
    """The outer build's: the default one of cmake may not be there."""
    with open(os.path.join(BUILD, 'CMakeCache.txt'), encoding='utf-8') as cache:
        return next(line.split('=', 1)[1].strip() for line in cache if line.startswith('CMAKE_GENERATOR:'))


def environment(**variables):
    """Ours, without what would steer the product or the build."""
    result = {name: value for name, value in os.environ.items()
              if not name.startswith(('TRACEMALLOC_', 'LD_', 'PYTHON', 'PYENV_', 'CMAKE_', 'CFLAGS', 'LDFLAGS', 'DESTDIR'))}
    result.update(LC_ALL='C', CMAKE_GENERATOR=generator())
    result.update(variables)
    return result


def run(*command, **options):
    """(exit code, stdout, stderr)"""
    options.setdefault('env', environment())
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          universal_newlines=True, check=False, **options)
    return done.returncode, done.stdout, done.stderr


class Trial(unittest.TestCase):
    """Has an empty folder of its own."""

    maxDiff = None

    def setUp(self):
        self.folder = os.path.realpath(tempfile.mkdtemp(prefix='tm-install-'))
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def succeed(self, *command, **options):
        code, out, err = run(*command, **options)
        self.assertEqual(code, 0, '%s\n%s%s' % (' '.join(command), out, err))
        return out
