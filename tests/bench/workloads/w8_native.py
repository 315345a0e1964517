# SPDX-License-Identifier: MIT
# stresses: big blocks of mixed sizes straight from malloc and free, beside bytearrays: the native door
# sizes: full=500000 counted=25000 smoke=2000
import ctypes
import sys

RING = 64
KIB = 1024

libc = ctypes.CDLL(None)
malloc = libc.malloc
malloc.restype = ctypes.c_void_p
malloc.argtypes = [ctypes.c_size_t]
free = libc.free
free.restype = None
free.argtypes = [ctypes.c_void_p]


def following(seed):
    return (seed * 1103515245 + 12345) & 0x7FFFFFFF


def turn(size):
    seed = 1
    ring = [None] * RING
    for i in range(size):
        seed = following(seed)
        wanted = KIB + (seed >> 4) % (64 * KIB)
        if i % 50 == 0:
            wanted = KIB + (seed >> 4) % (1023 * KIB)
        place = i % RING
        if ring[place] is not None:
            free(ring[place])
        ring[place] = malloc(wanted)
        bytearray(KIB + (seed >> 8) % (8 * KIB))
    for address in ring:
        if address is not None:
            free(address)


turn(int(sys.argv[1]))
