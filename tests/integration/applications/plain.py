# SPDX-License-Identifier: MIT
"""One line owns most of the memory."""
blocks = [None] * 3000
for index in range(3000):
    blocks[index] = bytearray(1000)  # top
print("made", len(blocks), sum(len(block) for block in blocks))
