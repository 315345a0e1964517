# SPDX-License-Identifier: MIT
"""tests/setup.sh on systems that lack everything: with apt, with dnf, with neither, as root and not."""
import os
import shutil
import unittest

import trial

# A file of that name notes its arguments and makes nothing appear.
RECORDER = '#!/bin/sh\necho "${0##*/} $*" >>%s\n'
NEEDS = 'compiler cmake make pkg-config zstd zlib cmocka python3 readelf'


class Bare(trial.Trial):
    def setUp(self):
        super().setUp()
        os.mkdir(self.path('bin'))
        for name in ('env', 'sed', 'sort', 'tr', 'mktemp', 'rm', 'sh'):
            os.symlink(shutil.which(name), self.path('bin', name))
        self.user(0)

    def user(self, number):
        self.write('bin/id', '#!/bin/sh\necho %d\n' % number, 0o755)

    def fake(self, *names):
        for name in names:
            self.write('bin/' + name, RECORDER % self.path('record'), 0o755)

    def setup(self, needs=NEEDS):
        code, out, err = trial.run('/bin/sh', '-c', '. %s/tests/setup.sh; tm_setup %s' % (trial.ROOT, needs),
                                   env={'PATH': self.path('bin')})
        record = ''
        if os.path.exists(self.path('record')):
            with open(self.path('record'), encoding='utf-8') as file:
                record = file.read()
        return code, out, err, record.splitlines()

    def test_apt(self):
        self.fake('apt-get')
        code, _, _, record = self.setup()
        self.assertEqual(code, 1)
        self.assertEqual(record, ['apt-get update -qq', 'apt-get install -y -qq --no-install-recommends binutils cmake gcc '
                                  'libc6-dev libcmocka-dev libzstd-dev ninja-build pkg-config python3 '
                                  'zlib1g-dev'])

    def test_dnf(self):
        self.fake('dnf')
        code, _, _, record = self.setup()
        self.assertEqual(code, 1)
        self.assertEqual(record, ['dnf install -y -q binutils cmake gcc glibc-devel libcmocka-devel libzstd-devel '
                                  'libzstd-static ninja-build pkgconf-pkg-config python3 zlib-devel'])

    def test_neither(self):
        code, _, err, record = self.setup()
        self.assertEqual((code, record), (1, []))
        self.assertEqual(err.count('\n'), 1)
        for need in NEEDS.split():
            self.assertIn(need, err)

    def test_sudo_when_not_root(self):
        self.user(1000)
        self.fake('dnf')
        self.write('bin/sudo', '#!/bin/sh\necho sudo >>%s\nexec "$@"\n' % self.path('record'), 0o755)
        self.assertEqual(self.setup('cmake')[3], ['sudo', 'dnf install -y -q cmake'])

    def test_neither_root_nor_sudo(self):
        self.user(1000)
        self.fake('apt-get')
        code, _, err, record = self.setup('cmake')
        self.assertEqual((code, record, err), (1, [], 'please install, then run this again: cmake (missing: cmake)\n'))

    def test_only_what_is_missing(self):
        self.fake('apt-get', 'ninja', 'readelf')
        self.assertEqual(self.setup('make readelf cmake')[3][1:],
                         ['apt-get install -y -qq --no-install-recommends cmake'])

    def test_nothing_is_missing(self):
        self.fake('apt-get', 'ninja', 'readelf')
        self.assertEqual(self.setup('make readelf'), (0, '', '', []))

    def test_an_old_cmake(self):
        for version, code in (('2.8.12', 1), ('3.17.5', 1), ('3.18.0', 0), ('3.25.1', 0), ('4.0.0', 0)):
            self.write('bin/cmake', '#!/bin/sh\necho cmake version %s\n' % version, 0o755)
            self.assertEqual(self.setup('cmake')[0], code, version)


if __name__ == '__main__':
    unittest.main()
