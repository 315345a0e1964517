# SPDX-License-Identifier: MIT
"""KeyboardInterrupt that nobody catches: the interpreter ends in order, then dies of SIGINT (3.8 and later)."""
import os
import signal
import time

blocks = [("%05d" % index) * 200 for index in range(3000)]  # top
os.kill(os.getpid(), signal.SIGINT)
time.sleep(10)
