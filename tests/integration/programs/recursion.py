# SPDX-License-Identifier: MIT
"""Deep recursion: more frames than the traceback limit, objects made at every depth and on the way back."""
from measuring import measure

import sys

sys.setrecursionlimit(3000)
kept = []


def down(depth):
    kept.append([depth])
    if depth:
        below = down(depth - 1)
        kept.append((depth, below))
        return below
    return {"bottom": []}


def even(number):
    return True if number == 0 else odd(number - 1)


def odd(number):
    kept.append(str(number) * 2)
    return False if number == 0 else even(number - 1)


def tree(depth):
    return [] if depth == 0 else [tree(depth - 1), {depth: tree(depth - 1)}]


def ackermann(left, right):
    if left == 0:
        return right + 1
    return ackermann(left - 1, 1 if right == 0 else ackermann(left, right - 1))


def mixed(depth):
    if depth == 0:
        return [0.5]
    return sorted([[depth]], key=lambda value: mixed(depth - 1))[0] + [float(depth)]


bottom = down(400)
even(150)
forest = tree(7)
number = ackermann(2, 30)
through_c = [mixed(depth) for depth in (1, 5, 20, 40)]

measure()
