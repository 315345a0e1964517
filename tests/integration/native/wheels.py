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
    base = numpy.full(400000, 1.5)  # numpy's 3200000
    return [
        base,
        numpy.zeros(410000),  # numpy's 3280000
        numpy.arange(420000.0),  # numpy's 3360000
        numpy.empty(430000),  # numpy's 3440000
        numpy.repeat(base, 2),  # numpy's 6400000
        numpy.concatenate((base, base[:40000])),  # numpy's 3520000
        base[:390000] * 2,  # numpy's 3120000
        base[:380000].astype("f4"),  # numpy's 1520000
        numpy.cumsum(base[:370000]),  # numpy's 2960000
        numpy.sort(base[:360000]),  # numpy's 2880000
        base[:350000].copy(),  # numpy's 2800000
    ]


def by_pandas():
    import numpy
    import pandas
    keys = numpy.arange(300000)[::-1].copy() * 7 % 300007  # pandas's 2400000
    index = pandas.Index(keys)
    found = index.get_loc(7)  # pandas's
    codes = pandas.factorize(keys)[0]  # pandas's 2400000
    series = [pandas.Series(range(200000 + i)) for i in range(10)]  # pandas's
    return index, found, codes, series


def by_pyarrow():
    import pyarrow
    pool = pyarrow.system_memory_pool()
    return [pyarrow.array([1.5] * (30000 + 1000 * i), memory_pool=pool) for i in range(10)]  # pyarrow's


def by_torch():
    import torch
    return [torch.full((300000 + i,), 1.5) * 2 for i in range(10)]  # torch's


KEPT = globals()["by_" + sys.argv[1]]()
