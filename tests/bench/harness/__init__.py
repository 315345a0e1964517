# SPDX-License-Identifier: MIT
"""What bench.py is made of.  Standard library only, Python 3.6 or newer."""
import signal

# A shell starts what stands before "&" with SIGINT ignored: programs begin and end by other doors then, which cost more.
signal.signal(signal.SIGINT, signal.default_int_handler)
