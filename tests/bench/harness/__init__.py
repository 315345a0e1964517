# SPDX-License-Identifier: MIT
"""What bench.py is made of.  Standard library only, Python 3.6 or newer."""
