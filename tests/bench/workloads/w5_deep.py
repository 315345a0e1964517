# SPDX-License-Identifier: MIT
# stresses: allocations under a stack of fifty frames: what a traceback costs
# sizes: full=20000 counted=1000 smoke=100
import sys

DEPTH = 50


def leaf():
    made = []
    for i in range(300):
        made.append((i, i + 1000, str(i)))
    return len(made)


def descend(depth):
    if depth == 0:
        return leaf()
    return descend(depth - 1)


def repeat(rounds):
    total = 0
    for _ in range(rounds):
        total += descend(DEPTH)
    return total


repeat(int(sys.argv[1]))
