# SPDX-License-Identifier: MIT
# needs 3.7
"""A library tells the tracer of a domain of its own, as numpy does; objects leave free lists before and after."""
from measuring import measure

import ctypes

DOMAIN = 389047
track = ctypes.pythonapi.PyTraceMalloc_Track
track.argtypes = [ctypes.c_uint, ctypes.c_void_p, ctypes.c_size_t]
memory = ctypes.create_string_buffer(5000)


def parked():
    floats = [float(number) for number in range(80)]
    lists = [[] for _ in range(60)]
    tuples = [(number, number) for number in range(40)]


parked()
before = [number / 3.0 for number in range(30)]
for part in range(0, 5000, 500):
    track(DOMAIN, ctypes.addressof(memory) + part, 500)
parked()
after = [number / 7.0 for number in range(30)]
lists = [[number] for number in range(50)]
tuples = [(number, lists) for number in range(20)]

measure()
