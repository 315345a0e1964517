# SPDX-License-Identifier: MIT
"""19,683 tracebacks, then 400,000 blocks of one."""
from __future__ import print_function

kept = []


def follow(depth, path):
    if depth == 0:
        return [path] * 3
    return (first, second, third)[path % 3](depth - 1, path // 3)


def first(depth, path):
    return follow(depth, path)


def second(depth, path):
    return follow(depth, path)


def third(depth, path):
    return follow(depth, path)


for path in range(3 ** 9):
    kept.append(follow(9, path))
kept.append([b"x" * (200 + i % 2) for i in range(400000)])
print(len(kept), sum(len(one) for one in kept))
