# SPDX-License-Identifier: MIT
"""Prints line tables of this interpreter with its own answers, as the C that line_tables.h holds.

    for p in python2.7 python3.9 python3.10 python3.14; do $p line_tables.py; done
"""
import ctypes
import sys

SOURCES = [
    ('steps', 'a = 1\nif a:\n    for i in (1,\n              2):\n        a += i\nb = [a,\n     a +\n     1]\n'),
    ('far', 'a = 1\n' + '\n' * 300 + 'a = 2\n' + '\n' * 700 + 'a = 3\nf(a,\n' + '\n' * 140 + '  a,\n  a)\n'),
    ('wide', 'a = [' + ','.join('a' for _ in range(200)) + ']\nb = 1\n'),
    ('no_line', 'def f():\n    try:\n        with a:\n            b()\n    finally:\n        c()\n    while a:\n        b()\n'),
]
ENCODING = ('UNSIGNED' if sys.version_info < (3,) else 'SIGNED' if sys.version_info < (3, 10) else
            'RANGES' if sys.version_info < (3, 11) else 'LOCATIONS')
addr2line = ctypes.pythonapi.PyCode_Addr2Line
addr2line.argtypes = [ctypes.py_object, ctypes.c_int]


def inner(code):
    for constant in code.co_consts:
        if type(constant) is type(code):
            return constant
    return code


def c_bytes(values):
    rows = []
    for i in range(0, len(values), 24):
        rows.append('    ' + ', '.join(str(v) for v in values[i:i + 24]) + ',')
    return '\n'.join(rows)


release = '%d_%d' % sys.version_info[:2]
for name, source in SOURCES:
    code = inner(compile(source, 'x', 'exec'))
    table = bytearray(getattr(code, 'co_linetable', None) or code.co_lnotab)
    lines = [max(addr2line(code, at), 0) for at in range(0, len(code.co_code), 2)]
    runs = []
    for line in lines:
        if runs and runs[-1][1] == line:
            runs[-1][0] += 1
        else:
            runs.append([1, line])
    print('static const unsigned char table_%s_%s[] = {\n%s\n};' % (name, release, c_bytes(list(table))))
    print('static const struct run runs_%s_%s[] = {\n%s\n};' % (
        name, release, '\n'.join('    {%d, %d},' % tuple(run) for run in runs)))
    print('#define CASE_%s_%s {"%s %s", TM_LINES_%s, table_%s_%s, sizeof table_%s_%s, %d, runs_%s_%s, '
          'TM_COUNT_OF(runs_%s_%s)}' % (name, release, name, release, ENCODING, name, release, name, release,
                                       code.co_firstlineno, name, release, name, release))
