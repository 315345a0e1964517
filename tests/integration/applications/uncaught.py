# SPDX-License-Identifier: MIT
"""Ends by an exception that nobody catches."""
blocks = [("%05d" % index) * 200 for index in range(3000)]  # top


def fail(depth):
    if depth:
        fail(depth - 1)
    raise ValueError("nobody catches this")


fail(3)
