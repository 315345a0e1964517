# SPDX-License-Identifier: MIT
# The tracemalloc module is not started, with "tried" in vain, or is stopped again; then objects leave a free list on
# another line.
import sys, tracemalloc

for limit in (-1, 1 << 40, "text") if sys.argv[1:] == ["tried"] else ():
    try:
        tracemalloc.start(limit)
    except (ValueError, OverflowError, TypeError) as error:
        print(type(error).__name__, error)
if sys.argv[1:] == ["started"]:
    tracemalloc.start(3)
    print(tracemalloc.is_tracing())
    tracemalloc.stop()


def halves():
    return [number / 2.0 for number in range(50)]


kept = halves()
kept = None
kept = [number / 2.0 for number in range(50)]
