# SPDX-License-Identifier: MIT
# stresses: one line that makes ints and nothing else: the price of an event, bare; lists that grow by realloc
# sizes: full=30 counted=2 smoke=1
import sys


def make(rounds):
    for _ in range(rounds):
        numbers = [i for i in range(1000000)]
    return len(numbers)


make(int(sys.argv[1]))
