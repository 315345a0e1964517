# SPDX-License-Identifier: MIT
"""Fails when the preload library asks its host for more than libc and ld.so, or would weaken or slow it.

usage: check_needed.py LIBRARY

It must be possible to copy the one file into a slim container image.
"""
import re
import sys

import elf

# The last two are parts of glibc that were files of their own before 2.34.
ALLOWED = re.compile(r'^(?:libc\.so\.6|ld-linux[^/]*\.so\.\d|libdl\.so\.2|libpthread\.so\.0)$')


def faults_of(path):
    dynamic, segments = elf.readelf(path, '-d'), elf.readelf(path, '-l')
    needed = elf.needed(path)
    if 'libc.so.6' not in needed:
        yield 'libc.so.6 is not among what it needs: is this the library?'
    for name in needed:
        if not ALLOWED.match(name):
            yield 'it needs ' + name
    if re.search(r'\((?:RPATH|RUNPATH)\)', dynamic):
        yield 'it carries a search path'
    if not re.search(r'\(FLAGS_1\).*\bNOW\b', dynamic):
        yield 'symbols are bound late (no BIND_NOW)'
    if '(TEXTREL)' in dynamic:
        yield 'relocations write into the code'
    if 'GNU_RELRO' not in segments:
        yield 'the relocated tables stay writable (no RELRO)'
    stack = re.search(r'GNU_STACK\s+(?:0x\S+\s+){5}(\S+)', segments)
    if not stack or 'E' in stack.group(1):
        yield 'the stack is executable'
    if re.search(r'^\s*TLS\s', segments, re.MULTILINE):
        if not re.search(r'\(FLAGS\).*STATIC_TLS', dynamic):
            yield 'thread-local data is not initial-exec'
        if re.search(r'TLSDESC|DTPMOD', elf.readelf(path, '-r')):
            yield 'thread-local data is looked up by a call'
    if any(name == '__tls_get_addr' for name, _, _, _ in elf.symbols(path)):
        yield 'it calls __tls_get_addr, which allocates'


def main(path):
    faults = list(faults_of(path))
    print('\n'.join('%s: %s' % (path, fault) for fault in faults) or '%s needs %s' % (path, ' '.join(elf.needed(path))))
    floor, names = elf.glibc_floor(path)
    print('oldest glibc it loads on: %s (for %s)' % ('.'.join(map(str, floor)), ' '.join(sorted(names))))
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
