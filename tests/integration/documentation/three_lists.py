# SPDX-License-Identifier: MIT
"""A tutorial's program: three lists of 10,000 integers, then one is deleted and another grows."""
from marking import mark

mark("one")
first = list(range(1000, 11000))
second = [number * 2 for number in range(1000, 11000)]
third = []
for number in range(10000):
    third.append(number + 100000)
mark("two")
del second
third.extend(range(200000, 205000))
mark("three")
