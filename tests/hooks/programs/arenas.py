# SPDX-License-Identifier: MIT
"""So many small objects, made on one line, that the interpreter's table of arenas grows several times meanwhile."""
import sys

COUNT = 1600000


def fill(count):
    return [float(number) for number in range(count)]


kept = fill(COUNT)
print(len(kept))
sys.stdout.flush()
