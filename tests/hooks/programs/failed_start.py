# SPDX-License-Identifier: MIT
# The tracemalloc module does not start; then objects are taken out of a free list on another line.
import tracemalloc

for limit in (-1, 1 << 40, "text"):
    try:
        tracemalloc.start(limit)
    except (ValueError, OverflowError, TypeError) as error:
        print(type(error).__name__, error)


def halves():
    return [number / 2.0 for number in range(50)]


kept = halves()
kept = None
kept = [number / 2.0 for number in range(50)]
