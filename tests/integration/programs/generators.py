# SPDX-License-Identifier: MIT
"""Generators stopped in the middle, chains of them, and what itertools makes."""
from measuring import measure

import itertools


def numbers(limit):
    kept = []
    for number in range(limit):
        kept.append([number])
        yield kept[-1] + [float(number)]


def delegating(depth):
    local = {"depth": depth}
    if depth:
        yield from delegating(depth - 1)
    yield (depth, local)


def receiving():
    received = []
    while True:
        received.append((yield len(received)))


half = [numbers(100) for _ in range(30)]
first = [[next(one) for _ in range(3 + index % 5)] for index, one in enumerate(half)]
finished = [list(numbers(10)) for _ in range(10)]
deep = [delegating(20) for _ in range(5)]
values = [next(one) for one in deep]
receivers = [receiving() for _ in range(12)]
for one in receivers:
    next(one)
    for word in ("a", ["b"], {"c": 1}):
        one.send(word)
closed = [numbers(5) for _ in range(8)]
for one in closed:
    next(one)
    one.close()
never = [numbers(3) for _ in range(9)]
lazy = [(text * 2 for text in map(str, range(50))) for _ in range(6)]
taken = [next(one) for one in lazy]
chained = itertools.chain.from_iterable([number] * 2 for number in range(40))
taken.extend(itertools.islice(chained, 11))
groups = [(key, list(group)) for key, group in itertools.groupby(range(60), lambda number: number // 7)]
left, right = itertools.tee(numbers(40))
ahead = [next(left) for _ in range(25)]
pairs = list(itertools.combinations("abcdefgh", 3))
products = list(itertools.product(range(5), "xy", (1.5, 2.5)))
cycle = itertools.cycle([[1], [2]])
around = [next(cycle) for _ in range(7)]
sums = list(itertools.accumulate(float(number) for number in range(60)))

measure()

del left, right  # 3.12.1 crashes when a tee outlives the modules
