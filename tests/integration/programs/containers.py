# SPDX-License-Identifier: MIT
"""Containers of every kind, alive at the end."""
from measuring import measure

import collections
import heapq

lists = [[number] * 3 for number in range(300)]
tuples = [(number, str(number)) for number in range(300)]
dicts = [{"key%d" % number: number, "other": [number]} for number in range(300)]
sets = [set(range(number % 40)) for number in range(200)]
frozen = frozenset((number, number + 1) for number in range(200))
queue = collections.deque(maxlen=50)
for number in range(500):
    queue.append([number])
ordered = collections.OrderedDict((str(number), {}) for number in range(100))
default = collections.defaultdict(list)
for number in range(400):
    default[number % 37].append(float(number))
counter = collections.Counter("the quick brown fox jumps over the lazy dog" * 5)
chained = collections.ChainMap(dict(default), {}, {"a": 1})
heap = []
for number in range(500):
    heapq.heappush(heap, (number * 7919 % 503, number))
for _ in range(120):
    heapq.heappop(heap)
nested = []
for depth in range(40):
    nested = [nested, {depth: nested}]

measure()
