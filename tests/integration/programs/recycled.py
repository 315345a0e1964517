# SPDX-License-Identifier: MIT
"""Objects that are taken out of free lists again and again: the line that takes a block out owns it."""
from measuring import measure

kept = []


def born(count):
    return [float(number) for number in range(count)]


def again(count):
    return [number / 7.0 for number in range(count)]


def tuples(count, width):
    return [tuple(range(1000, 1000 + width)) for _ in range(count)]


def named(first, *rest, **options):
    return first, rest, options


floats = born(300)
del floats
kept.append(again(60))
for width in range(1, 21):
    parked = tuples(30, width)
    del parked
    kept.append([tuple([width] * width) for _ in range(7)])
lists = [[] for _ in range(200)]
del lists
kept.append([[number] for number in range(50)])
dicts = [{} for _ in range(200)]
del dicts
kept.append([{"n": number} for number in range(50)])
kept.append([named(number, 1, 2, key=number) for number in range(30)])
slices = [slice(number, number + 1.5) for number in range(40)]
del slices
kept.append([slice(None, float(number)) for number in range(10)])
complexes = [complex(number, 1) for number in range(100)]
del complexes[::2]
methods = [kept.append for _ in range(60)]
del methods[10:]
bound = ["abc".join for _ in range(40)]
ranges = [iter(range(number)) for number in range(40)]
del ranges[::3]
numbers = [10 ** 12 + number for number in range(150)]
del numbers[::2]
kept.append([10 ** 13 + number for number in range(40)])
iterators = [iter([number]) for number in range(30)]
views = [{"k": 1}.items() for _ in range(30)]
strings = [chr(300 + number) * 2 for number in range(60)]
del strings[::2]
for turn in range(50):
    left, right = [turn], (turn, [turn])
    left, right = right, left
    kept.append(left)
first = lambda: ([], (), {}, [1.5 * len(kept)])
kept.extend(first() for _ in range(25))

measure()
