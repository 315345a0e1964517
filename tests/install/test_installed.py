# SPDX-License-Identifier: MIT
"""`cmake --install` into an empty prefix, then what the README tells a user to do with it."""
import ctypes.util
import glob
import os
import shutil
import subprocess
import sys

import trial

sys.path.insert(0, os.path.join(trial.ROOT, 'tests', 'integration'))
import interpreters  # noqa: E402

APP = 'blocks = [bytearray(100000) for _ in range(10)]\nprint("done")\n'

PROGRAM = r'''
#include <stdio.h>
#include <stdlib.h>
#include <tracemalloc/snapshot_format.h>
#include <tracemalloc/tracemalloc.h>

int main(void)
{
    if (!tracemalloc_start) {
        puts("not preloaded");
        return 0;
    }
    puts(tracemalloc_version());
    return 0;
}
'''


class Installed(trial.Trial):
    def setUp(self):
        super().setUp()
        self.succeed(trial.CMAKE, '--install', trial.BUILD, '--prefix', self.path('prefix'))
        self.lib = os.path.dirname(glob.glob(self.path('prefix', 'lib*', '**', 'libtracemalloc.so'), recursive=True)[0])
        self.library = os.path.join(self.lib, 'libtracemalloc.so')
        self.report = self.path('prefix', 'bin', 'tm-report')

    def in_empty_folder(self, command, *folders, **variables):
        """Runs COMMAND, a shell line, in a folder that holds app.py only; FOLDERS come first in PATH."""
        shutil.rmtree(self.path('empty'), ignore_errors=True)
        self.write('empty/app.py', APP)
        path = ':'.join(folders + (os.environ['PATH'],))
        return trial.run('/bin/sh', '-c', command, cwd=self.path('empty'), env=trial.environment(PATH=path, **variables))

    def snapshots(self):
        return sorted(set(os.listdir(self.path('empty'))) - {'app.py'})

    def python_folder(self, interpreter):
        """A folder in which `python` is that interpreter."""
        folder = self.path('python-' + interpreter.label)
        os.makedirs(folder, exist_ok=True)
        os.symlink(interpreter.path, os.path.join(folder, 'python'))
        return folder

    def pkg_config(self, *arguments):
        return self.succeed('pkg-config', *arguments, 'libtracemalloc',
                            env=trial.environment(PKG_CONFIG_PATH=os.path.join(self.lib, 'pkgconfig'))).split()


class Files(Installed):
    def test_all_are_there(self):
        here = [os.path.relpath(os.path.join(folder, name), self.path('prefix'))
                for folder, _, names in os.walk(self.path('prefix')) for name in names]
        lib = os.path.relpath(self.lib, self.path('prefix'))
        wanted = [lib + '/libtracemalloc.so', lib + '/pkgconfig/libtracemalloc.pc',
                  'share/doc/libtracemalloc/LICENSE']
        wanted += ['include/tracemalloc/' + name for name in os.listdir(os.path.join(trial.ROOT, 'include/tracemalloc'))]
        if os.path.exists(os.path.join(trial.ROOT, 'README.md')):
            wanted.append('share/doc/libtracemalloc/README.md')
        wanted += ['share/man/man1/tm-%s.1' % name for name in ('report', 'run', 'snap', 'top')]
        wanted += ['share/bash-completion/completions/tm-report', 'share/zsh/site-functions/_tm-report',
                   'share/fish/vendor_completions.d/tm-report.fish']
        wanted += ['bin/' + name for name in os.listdir(os.path.join(trial.ROOT, 'tools'))
                   if os.path.isdir(os.path.join(trial.ROOT, 'tools', name))]
        self.assertEqual(sorted(here), sorted(wanted))

    def test_a_hint_where_ld_so_does_not_search(self):
        out = self.succeed(trial.CMAKE, '--install', trial.BUILD, '--prefix', self.path('other'))
        self.assertIn('LD_PRELOAD needs the whole path, ' + self.path('other'), out)


class Verbatim(Installed):
    def check(self, command, *folders, **variables):
        code, out, err = self.in_empty_folder(command, *folders, **variables)
        self.assertEqual((code, out, err), (0, 'done\n', ''))
        left = self.snapshots()
        self.assertEqual(len(left), 1, left)
        self.assertRegex(left[0], r'^tracemalloc\.\d+\.tms$')
        text = self.succeed(self.report, os.path.join(self.path('empty'), left[0]))
        self.assertIn('app.py:1', text)

    def test_the_command_of_the_readme(self):
        found = interpreters.select()
        self.assertTrue(found)
        for interpreter in found:
            with self.subTest(interpreter.label):
                self.check('LD_PRELOAD=libtracemalloc.so python app.py', self.python_folder(interpreter),
                           LD_LIBRARY_PATH=self.lib)

    def test_tm_run(self):
        folder = self.python_folder(interpreters.select()[-1])
        os.symlink('python', os.path.join(folder, 'python3'))
        self.check('%s app.py' % self.path('prefix', 'bin', 'tm-run'), folder)

    def test_python_of_the_path(self):
        if not shutil.which('python'):
            self.skipTest('no python in PATH')
        self.check('LD_PRELOAD=libtracemalloc.so python app.py', LD_LIBRARY_PATH=self.lib)

    def test_a_copy_by_its_path(self):
        os.makedirs(self.path('elsewhere'))
        copy = shutil.copy(self.library, self.path('elsewhere'))
        self.check('LD_PRELOAD=%s python app.py' % copy, self.python_folder(interpreters.select()[-1]))

    def test_without_a_search_path_ld_so_says_so(self):
        code, out, err = self.in_empty_folder('LD_PRELOAD=libtracemalloc.so python app.py',
                                              self.python_folder(interpreters.select()[-1]))
        self.assertEqual((code, out, self.snapshots()), (0, 'done\n', []))
        if ctypes.util.find_library('tracemalloc'):
            self.skipTest('the library is installed on this system')
        self.assertIn("object 'libtracemalloc.so' from LD_PRELOAD cannot be preloaded", err)


class Compiling(Installed):
    def compile(self, compiler, source, *options):
        self.succeed(*compiler.split(), source, '-o', self.path('program'), '-Wall', '-Wextra', '-Wpedantic', '-Werror',
                     *options, *self.pkg_config('--cflags', '--libs'))
        return self.path('program')

    def test_the_file_of_pkg_config(self):
        self.assertEqual([os.path.realpath(word) for word in self.pkg_config('--variable=preload')], [self.library])
        self.assertEqual(os.path.realpath(self.pkg_config('--cflags')[0][2:]), self.path('prefix', 'include'))
        with open(os.path.join(trial.ROOT, 'CMakeLists.txt'), encoding='utf-8') as file:
            self.assertIn('VERSION ' + self.pkg_config('--modversion')[0], file.read())

    def test_a_program_with_and_without_the_library(self):
        source = self.write('program.c', PROGRAM)
        version = self.pkg_config('--modversion')[0]
        for options in (['-std=c11'], ['-std=c99'], ['-std=c11', '-no-pie'], ['-std=c11', '-O2', '-fPIE', '-pie']):
            with self.subTest(options):
                program = self.compile(trial.COMPILER, source, *options)
                self.assertEqual(trial.run(program), (0, 'not preloaded\n', ''))
                env = trial.environment(LD_PRELOAD=self.library)
                self.assertEqual(trial.run(program, env=env, cwd=self.folder), (0, version + '\n', ''))

    def test_the_headers_in_cxx(self):
        if subprocess.call(['sh', '-c', 'command -v g++ >/dev/null']):
            self.skipTest('no g++')
        self.compile('g++', self.write('program.cc', PROGRAM), '-std=c++11')


if __name__ == '__main__':
    trial.unittest.main()
