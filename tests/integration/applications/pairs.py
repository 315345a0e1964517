# SPDX-License-Identifier: MIT
"""Pairs of allocations and frees by the billion, in each way between the snapshots WAY.0.tms and WAY.1.tms.

usage: pairs.py LOOPS MANY PAIRS     LOOPS is the library of long_life/loops.c; MANY pairs in two ways, PAIRS in the others
"""
import ctypes
import sys

held, free = ctypes.PyDLL(sys.argv[1]), ctypes.CDLL(sys.argv[1])
size, large = ctypes.c_size_t(40), ctypes.c_size_t(2000)
many, pairs, share = (ctypes.c_uint64(number) for number in (int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[3]) // 4))
functions = [ctypes.c_uint(number) for number in range(4)]


def names(way):
    return [("%s.%d.tms" % (way, number)).encode() for number in range(2)]


held.loops_pairs(functions[0], many, size, *names("obj"))
held.loops_pairs(functions[1], pairs, size, *names("mem"))
held.loops_pairs(functions[0], pairs, large, *names("large"))
free.loops_pairs(functions[2], pairs, size, *names("raw"))
free.loops_pairs(functions[3], many, large, *names("native"))
held.loops_pairs(functions[3], pairs, size, *names("held_native"))
free.loops_pairs_in_threads(ctypes.c_uint(4), share, size, *names("threads"))
