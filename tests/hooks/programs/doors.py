# SPDX-License-Identifier: MIT
# Where in the library the functions of obj's allocator lie: malloc, calloc, realloc, free.
import ctypes
import signal
import sys

made = [object() for _ in range(10)]
if sys.argv[1] == "again":
    signal.signal(signal.SIGINT, signal.default_int_handler)
made = [object() for _ in range(10)]  # by now the doors are what they stay


class Allocator(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("ctx", "malloc", "calloc", "realloc", "free")]


found = Allocator()
ctypes.pythonapi.PyMem_GetAllocator(2, ctypes.byref(found))
with open("/proc/self/maps") as maps:
    bases = [int(line.split("-")[0], 16) for line in maps if "libtracemalloc" in line]
if bases:
    print(" ".join(str(getattr(found, name) - bases[0]) for name in ("malloc", "calloc", "realloc", "free")))
