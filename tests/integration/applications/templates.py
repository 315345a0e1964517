# SPDX-License-Identifier: MIT
"""A template engine: functions with names and files of their own are made, called once and dropped; a few are kept."""
from __future__ import print_function
import sys

COUNT, KEEP = int(sys.argv[1]), int(sys.argv[2])
SOURCE = """def render_%d(a):
    x = [a] * 5000
    return x
result = render_%d(1)
"""
kept = []


def resident_kb():
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[1]) * 4


for number in range(COUNT):
    if number == COUNT // 10:
        before = resident_kb()
    names = {}
    exec(compile(SOURCE % (number, number), "<template %d>" % number, "exec"), names)
    if number % KEEP == 0:
        kept.append(names["result"])
    names.clear()  # else the function and its globals wait for the garbage collector
print(len(kept), "grew", resident_kb() - before)
