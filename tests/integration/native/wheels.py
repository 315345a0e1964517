# SPDX-License-Identifier: MIT
"""Allocates by packages that are written in C, C++, Cython and Rust.  argv[1]: which one."""
import sys


def by_greenlet():
    import ctypes
    import greenlet
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    main = greenlet.getcurrent()

    def take(size):
        return libc.malloc(ctypes.c_size_t(size))

    def wait(size):
        main.switch()
        kept = take(size)
        main.switch()
        return kept

    def shallow(size):
        return wait(size)

    def deep(size, depth=3):
        return deep(size, depth - 1) if depth else wait(size)

    pair = greenlet.greenlet(shallow), greenlet.greenlet(deep)
    pair[0].switch(900001)
    pair[1].switch(900002)
    take(900003)
    for one in pair:
        one.switch()
    take(900004)
    return pair


def by_lxml():
    from lxml import etree
    return etree.fromstring(b"<a>" + b"<b c='d'>text</b>" * 20000 + b"</a>")  # lxml's


def by_orjson():
    import orjson
    return [orjson.dumps(["x" * 1000] * (2000 + i)) for i in range(10)]  # orjson's


def by_numpy():
    import numpy
    return [numpy.full(200000 + i, 1.5) for i in range(10)]  # numpy's


def by_pandas():
    import pandas
    return [pandas.Series(range(200000 + i)) for i in range(10)]  # pandas's


KEPT = globals()["by_" + sys.argv[1]]()
