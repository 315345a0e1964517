# SPDX-License-Identifier: MIT
"""One line owns most of the memory, and says how much."""
import sys

blocks = [None] * 3000
for index in range(3000):
    blocks[index] = ("%05d" % index) * 200  # top
print("made %d of %d bytes" % (len(blocks), sys.getsizeof(blocks[0])))
