# SPDX-License-Identifier: MIT
"""Ends without finalisation."""
import os
import sys

blocks = [bytearray(1000) for _ in range(3000)]  # top
sys.stdout.write("leaving\n")
sys.stdout.flush()
os._exit(7)
