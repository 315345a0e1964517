# SPDX-License-Identifier: MIT
"""Containers that grow and shrink: blocks move, are reallocated, freed and taken out of free lists."""
from measuring import measure

alive = []
for size in range(1, 600):
    alive.append(size)
    if size % 3 == 0:
        alive.append(str(size))
del alive[100:400]
alive.extend(range(1000, 1400))
alive[10:20] = []
alive.insert(0, [])

table = {}
for key in range(2000):
    table[key] = [key]
for key in range(0, 2000, 2):
    del table[key]
for key in range(5000, 5300):
    table[str(key)] = (key,)

members = set(range(3000))
members -= set(range(0, 3000, 3))
members |= {str(number) for number in range(50)}

waves = []
for wave in range(6):
    waves = [[number] for number in range(200 * (6 - wave))]
    spare = [{} for _ in range(30)]
    del spare

pair = []
for turn in range(200):
    pair = (pair[-3:] if pair else []) + [turn, float(turn)]

measure()
