# SPDX-License-Identifier: MIT
"""Ends by an exception that nobody catches."""
blocks = [bytearray(1000) for _ in range(3000)]  # top


def fail(depth):
    if depth:
        fail(depth - 1)
    raise ValueError("nobody catches this")


fail(3)
