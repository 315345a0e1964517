# SPDX-License-Identifier: MIT
"""numpy: the data of arrays stands on the line that made the array.

    LD_PRELOAD=libtracemalloc.so python3 examples/numpy_arrays.py
    tm-report tracemalloc.*.tms

It counts whichever allocator numpy takes the data from; --domain tells them apart (raw: CPython's, native: malloc).
"""
import numpy

ones = numpy.ones((1000, 500))
numbers = numpy.arange(250000, dtype="int32")
view = ones[:10]
doubled = ones[:100] * 2
print(ones.nbytes, numbers.nbytes, doubled.nbytes, view.base is ones)
