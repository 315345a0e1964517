# SPDX-License-Identifier: MIT
"""Blocks of raw beside large ones of mem and obj, which ask raw for them: of the same size, growing and shrinking.
domains.py LIBRARY [layer | replaced]: with an allocator of the program's own over raw's from the middle on, or in the
place of it."""
import ctypes
import sys

size = ctypes.c_size_t
api = ctypes.pythonapi
api.PyMem_RawMalloc.restype = api.PyMem_RawRealloc.restype = ctypes.c_void_p
api.PyMem_RawMalloc.argtypes = [size]
api.PyMem_RawRealloc.argtypes = [ctypes.c_void_p, size]
layer = ctypes.PyDLL(sys.argv[1])
kept = []


def fill():
    for _ in range(3000):
        kept.append(bytes(1000))
        kept.append(api.PyMem_RawMalloc(1000 + sys.getsizeof(b"")))
        shrunk = bytearray(3000)
        del shrunk[400:]
        grown = bytearray(300)
        grown.extend(bytes(600))
        kept.append((shrunk, grown))
        kept.append(api.PyMem_RawRealloc(api.PyMem_RawMalloc(3000), 401))


fill()
layer.layer_make_pairs(9000, size(700))
if sys.argv[2:] == ["layer"]:
    layer.layer_set()
if sys.argv[2:] == ["replaced"]:
    layer.layer_replace()
fill()
print(len(kept))
