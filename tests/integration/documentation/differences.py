# SPDX-License-Identifier: MIT
"""Two snapshots and their difference: a cache that is never emptied, beside work that leaves nothing."""
from marking import mark

import textwrap

cache = {}


def leak(key):
    cache[key] = "%08d" % key * 50
    return cache[key]


def work(text):
    return [line.strip() for line in textwrap.wrap(text, 30)]


for key in range(300):
    leak(key)
kept = work("word " * 500)
mark("one")
for key in range(200, 1500):
    leak(key)
    work("other words " * 3)
del kept[::2]
kept.extend(work("more " * 900))
mark("two")
