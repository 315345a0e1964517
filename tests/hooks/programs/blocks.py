# SPDX-License-Identifier: MIT
# 1000 blocks of known sizes on one line, alive at exit; runs on 2.7 too.
import sys

SIZES = list(range(300, 1300))
BLOCKS = [None] * len(SIZES)
POSITION = 0
for SIZE in SIZES:
    BLOCKS[POSITION] = b"x" * SIZE  # the line
    POSITION += 1
print("%d %d" % (len(BLOCKS), sum(map(sys.getsizeof, BLOCKS))))
