# SPDX-License-Identifier: MIT
"""Each preset configures, the tools build static, and CMake stops with one line on another C library."""
import json
import os
import re
import shutil
import unittest

import trial


class Presets(trial.Trial):
    def test_each_configures(self):
        version = re.search(r'(\d+)\.(\d+)', self.succeed(trial.CMAKE, '--version'))
        if (int(version.group(1)), int(version.group(2))) < (3, 21):
            self.skipTest('cmake %s does not know presets of version 3' % version.group(0))
        with open(os.path.join(trial.ROOT, 'CMakePresets.json'), encoding='utf-8') as file:
            presets = [p['name'] for p in json.load(file)['configurePresets'] if not p.get('hidden')]
        self.assertEqual(presets, ['release', 'debug', 'asan', 'tsan'])
        for preset in presets:
            with self.subTest(preset):
                self.succeed(trial.CMAKE, '--preset', preset, '-B', self.path(preset), cwd=trial.ROOT)
                self.assertTrue(os.path.exists(self.path(preset, 'CMakeCache.txt')))


class StaticTools(trial.Trial):
    def test_they_need_no_library(self):
        self.succeed(trial.CMAKE, '-S', trial.ROOT, '-B', self.path('build'), '-DTM_STATIC_TOOLS=ON', '-DTM_TESTS=OFF',
                     '-DTM_WEB=OFF', '-DCMAKE_C_COMPILER=' + trial.COMPILER)
        tools = ['tm-report', 'tm-run', 'tm-snap', 'tm-top']
        self.succeed(trial.CMAKE, '--build', self.path('build'), '-j', '2', '--target', *tools)
        for tool in tools:
            tool = self.path('build', 'bin', tool)
            self.assertNotRegex(self.succeed('readelf', '-W', '-l', '-d', tool), 'INTERP|NEEDED')
            self.assertIn('(libtracemalloc)', self.succeed(tool, '--version'))
        tool = self.path('build', 'bin', 'tm-report')
        code, _, err = trial.run(tool, self.write('empty.tms', ''))
        self.assertEqual((code, err.count('\n')), (1, 1), err)
        code, _, err = trial.run(tool, 'html', self.path('empty.tms'), '-o', self.path('page.html'))
        self.assertEqual((code, os.path.exists(self.path('page.html'))), (1, False))
        self.assertRegex(err, '^tm-report: this build has no page: .*TM_WEB=ON\n$')


class OtherLibc(trial.Trial):
    def assert_stops(self, *options, **variables):
        code, _, err = trial.run(trial.CMAKE, '-S', trial.ROOT, '-B', self.path('build'), *options,
                                 env=trial.environment(**variables))
        self.assertEqual(code, 1, err)
        lines = [line for line in err.splitlines() if line.startswith('  ')]
        self.assertEqual(lines, ['  libtracemalloc needs glibc: musl and others are not supported.'], err)

    def test_headers_that_are_not_those_of_glibc(self):
        self.write('include/features.h', '/* a C library that does not define __GLIBC__ */\n')
        compiler = self.write('other-gcc', '#!/bin/sh\nexec %s -I%s "$@"\n' % (trial.COMPILER, self.path('include')), 0o755)
        self.assert_stops('-DCMAKE_C_COMPILER=' + compiler)

    @unittest.skipUnless(shutil.which('musl-gcc'), 'no musl-gcc')
    def test_musl(self):
        self.assert_stops(CC='musl-gcc')


if __name__ == '__main__':
    unittest.main()
