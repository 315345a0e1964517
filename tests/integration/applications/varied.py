# SPDX-License-Identifier: MIT
"""Allocates at known lines: many small blocks, some large ones, churn, threads; keeps most of it."""
from __future__ import print_function
import threading

kept = []


def small(count):
    return [("%06d" % i) * (i % 9 + 1) for i in range(count)]


def large(count):
    return [bytearray(20000 + 7 * i) for i in range(count)]


def churn(count):
    total = 0
    for i in range(count):
        total += len([i] * (i % 300))
    return total


def grow(count):
    grown = bytearray()
    for i in range(count):
        grown.extend(b"x" * 1000)
    return grown


class Holder(object):
    def __init__(self, number):
        self.number = number
        self.name = str(number)


kept.append(small(120000))
kept.append(large(200))
kept.append(grow(3000))
kept.append([Holder(i) for i in range(20000)])
print(churn(100000))
workers = [threading.Thread(target=lambda: kept.append(small(20000))) for _ in range(4)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
print(sum(len(part) for part in kept))
