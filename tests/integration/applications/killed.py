# SPDX-License-Identifier: MIT
"""Dies of SIGKILL: nothing can be written any more."""
import os
import signal

blocks = [("%05d" % index) * 200 for index in range(3000)]  # top
os.kill(os.getpid(), signal.SIGKILL)
