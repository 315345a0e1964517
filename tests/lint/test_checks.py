# SPDX-License-Identifier: MIT
"""Each check of this folder must be able to fail: a fault is planted in a copy, and the check must name it.

usage: test_checks.py ROOT COMPILER
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import tree

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT, COMPILER = sys.argv.pop(1), sys.argv.pop(1)
LICENCE = '/* SPDX-License-Identifier: MIT */\n'


def check(name, *arguments):
    done = subprocess.run([sys.executable, os.path.join(HERE, 'check_%s.py' % name), *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, check=False)
    return done.returncode, done.stdout


class Planted(unittest.TestCase):
    def setUp(self):
        self.copy = tempfile.mkdtemp(prefix='tm-lint-')
        self.addCleanup(shutil.rmtree, self.copy)

    def assert_found(self, expected, name, *arguments):
        code, text = check(name, *arguments)
        self.assertEqual(code, 1, text)
        self.assertIn(expected, text)


class InTheTree(Planted):
    def setUp(self):
        super().setUp()
        for folder in tree.PRODUCT:
            shutil.copytree(os.path.join(ROOT, folder), os.path.join(self.copy, folder))

    def plant(self, path, text):
        path = os.path.join(self.copy, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(LICENCE + text)

    def test_an_include_that_looks_up(self):
        self.plant('src/base/planted.h', '#include "runtime/track/tracker.h"\n')
        self.assert_found('src/base/planted.h:2: src/base may not include src/runtime/track', 'layers', self.copy)

    def test_an_include_of_the_neighbour(self):
        self.plant('src/runtime/unwind/planted.h', '#include "runtime/table/block_table.h"\n')
        self.assert_found('src/runtime/unwind may not include src/runtime/table', 'layers', self.copy)

    def test_an_include_across_the_columns(self):
        self.plant('tools/tm-report/planted.c', '#include "runtime/os/os_file.h"\n')
        self.assert_found('tools/tm-report may not include src/runtime/os', 'layers', self.copy)

    def test_an_include_without_its_path(self):
        self.plant('src/base/planted.h', '#include "hash.h"\n')
        self.assert_found('may not include src', 'layers', self.copy)

    def test_a_folder_without_a_row(self):
        self.plant('src/new/planted.h', '')
        self.assert_found('no row for src/new', 'layers', self.copy)

    def test_a_name_twice(self):
        self.plant('src/store/hash.h', '')
        self.assert_found('src/store/hash.h: the name is taken by src/base/hash.h', 'layers', self.copy)

    def test_a_layer_that_looks_up(self):
        layers = os.path.join(self.copy, 'layers.txt')
        with open(layers, 'w', encoding='utf-8') as file:
            file.write('src/a 0 shared src/b\nsrc/b 1 shared -\n')
        self.assert_found('src/a may not look up at src/b', 'layers', self.copy, layers)

    def test_a_release_number(self):
        for code in ('#if PY_VERSION_HEX\n', 'int a = b >= 0x030B;\n', 'int a = b >= (3 << 8 | 12);\n',
                     'int a = minor >= 12;\n', 'const char *a = "libpython3.11.so";\n'):
            self.plant('src/runtime/track/planted.c', code)
            self.assert_found('src/runtime/track/planted.c:2', 'versions', self.copy)

    def test_a_release_number_in_a_comment_is_allowed(self):
        self.plant('src/runtime/track/planted.c', '/* PY_VERSION_HEX 0x030B\n * minor >= 12 */\n')
        self.assertNotIn('planted.c', check('versions', self.copy)[1])

    def test_a_file_without_licence(self):
        with open(os.path.join(self.copy, 'src/base/planted.h'), 'w', encoding='utf-8') as file:
            file.write('int a;\n')
        self.assert_found('src/base/planted.h:1', 'licence', self.copy)

    def test_a_word(self):
        self.plant('src/base/planted.h', '/* Walks the call stack. */\n')
        self.assert_found('src/base/planted.h:2: "call stack": traceback', 'words', self.copy)


class InALibrary(Planted):
    def build(self, text, *options):
        source, library = os.path.join(self.copy, 'planted.c'), os.path.join(self.copy, 'libplanted.so')
        with open(source, 'w', encoding='utf-8') as file:
            file.write(text)
        subprocess.run([COMPILER, '-shared', '-fPIC', '-fno-builtin', '-o', library, source, '-Wl,--no-as-needed', *options], check=True)
        return library

    def map(self, *names):
        path = os.path.join(self.copy, 'planted.map')
        with open(path, 'w', encoding='utf-8') as file:
            file.write('{\nglobal: /* all */\n%s\nlocal:\n    *;\n};\n' % '\n'.join('    %s;' % n for n in names))
        return path

    def test_a_name_too_many(self):
        library = self.build('void malloc(void) {}\nvoid extra(void) {}\n')
        self.assert_found('exports extra, which the map does not list', 'exports', library, self.map('malloc'))

    def test_a_name_too_few(self):
        library = self.build('void malloc(void) {}\n')
        self.assert_found('the map lists free, which is not exported', 'exports', library, self.map('malloc', 'free'))

    def test_the_right_names(self):
        code, text = check('exports', self.build('void malloc(void) {}\n'), self.map('mall*'))
        self.assertEqual(code, 0, text)

    def test_a_library_too_many(self):
        library = self.build('int a;\n', '-Wl,-z,now', '-lm')
        self.assert_found('it needs libm.so.6', 'needed', library)

    def test_late_binding(self):
        self.assert_found('no BIND_NOW', 'needed', self.build('int a;\n', '-Wl,-z,lazy'))

    def test_a_search_path(self):
        self.assert_found('carries a search path', 'needed', self.build('int a;\n', '-Wl,-rpath,/lib', '-Wl,-z,now'))

    def test_an_executable_stack(self):
        self.assert_found('the stack is executable', 'needed', self.build('int a;\n', '-Wl,-z,execstack', '-Wl,-z,now'))

    def test_thread_local_data_by_call(self):
        library = self.build('__thread int a __attribute__((tls_model("global-dynamic")));\nint *b(void) { return &a; }\n',
                             '-Wl,-z,now')
        self.assert_found('is not initial-exec', 'needed', library)

    def test_a_right_library(self):
        library = self.build('static __thread int a __attribute__((tls_model("initial-exec")));\n'
                             'int *b(void) { return &a; }\n', '-Wl,-z,now', '-Wl,-z,noexecstack', '-Wl,-z,relro')
        code, text = check('needed', library)
        self.assertEqual(code, 0, text)


if __name__ == '__main__':
    unittest.main()
