# SPDX-License-Identifier: MIT
# A function that a program puts into an allocator whose context it leaves stays there, whatever becomes of SIGINT.
import ctypes
import signal


class Allocator(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("ctx", "malloc", "calloc", "realloc", "free")]


def allocator(domain):
    found = Allocator()
    ctypes.pythonapi.PyMem_GetAllocator(domain, ctypes.byref(found))
    return found


made = [object() for _ in range(10)]
own = allocator(2)
own.realloc = allocator(1).realloc  # another one that takes the context
ctypes.pythonapi.PyMem_SetAllocator(2, ctypes.byref(own))
for handler in (signal.SIG_IGN, signal.default_int_handler, signal.SIG_IGN):
    signal.signal(signal.SIGINT, handler)
    made = [object() for _ in range(10)]
    print(allocator(2).realloc == own.realloc)
