# SPDX-License-Identifier: MIT
"""Python called back from C: sort keys, map, filter, ctypes, re, descriptors, copy, json hooks."""
from measuring import measure

import bisect
import copy
import ctypes
import functools
import json
import operator
import re

kept = []


def key(value):
    kept.append([value])
    return (value * 7919) % 101


ordered = sorted(range(150), key=key)
ranked = sorted(ordered, key=functools.cmp_to_key(lambda left, right: kept.append((left, right)) or left - right))
mapped = list(map(lambda left, right: [left, right], range(80), "abcdefgh" * 10))
filtered = list(filter(lambda value: kept.append({value: value}) or value % 3, range(60)))
largest = max(range(70), key=lambda value: float(value) % 13)
substituted = re.sub("[aeiou]", lambda match: kept.append(match) or match.group().upper(), "callbacks in c code " * 6)
splits = [re.split("(-)", "a-b-c-%d" % number) for number in range(30)]

Compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))


def compare(left, right):
    kept.append([left[0], right[0]])
    return left[0] - right[0]


numbers = (ctypes.c_int * 40)(*[number * 37 % 41 for number in range(40)])
callback = Compare(compare)
ctypes.CDLL(None).qsort(numbers, len(numbers), ctypes.sizeof(ctypes.c_int), callback)


class Odd(object):
    def __init__(self, number):
        self.number = number

    def __lt__(self, other):
        kept.append((self.number, "lt"))
        return self.number < other.number

    def __eq__(self, other):
        return self.number == other.number

    def __hash__(self):
        kept.append([self.number])
        return hash(self.number)

    def __repr__(self):
        return "Odd(%s)" % "".join(reversed(str(self.number)))

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return {name: [name]}

    def __add__(self, other):
        return Odd(self.number + other.number)

    def __iter__(self):
        return iter([self.number] * 3)


odd = sorted(Odd(number * 17 % 31) for number in range(31))
table = {one: [one] for one in odd}
texts = [repr(one) for one in odd] + ["%s" % odd]
attributes = [one.anything for one in odd]
total = functools.reduce(operator.add, odd)
unpacked = [[*one] for one in odd]
bisect.insort(odd, Odd(7))
copied = copy.deepcopy({"a": [odd[:5], {"b": (1, [2])}]})
decoded = json.loads('[{"x": 1.5}, {"y": [2, {"z": null}]}]' * 1, object_hook=lambda made: (made, [len(made)]),
                     parse_float=lambda text: [text])
summed = sum(([number] for number in range(30)), [])

measure()
