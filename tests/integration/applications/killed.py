# SPDX-License-Identifier: MIT
"""Dies of SIGKILL: nothing can be written any more."""
import os
import signal

blocks = [bytearray(1000) for _ in range(3000)]  # top
os.kill(os.getpid(), signal.SIGKILL)
