# SPDX-License-Identifier: MIT
"""Eight interpreters that are there at the end; 3.12 and later."""
import atexit
import os
import sys

try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

made = [interpreters.create() for _ in range(8)]
print(len(made))
sys.stdout.flush()
atexit.register(os._exit, 0)  # some releases crash where they are left to their end
