# SPDX-License-Identifier: MIT
"""Holds 10,000 bytes more with each hundredth of a second, and allocates and frees 1,000 others."""
import sys
import time

kept = []
print("ready")
sys.stdout.flush()
for _ in range(int(float(sys.argv[1]) * 100)):
    kept.append(bytearray(10000))  # grows
    [bytearray(2000) for _ in range(50)]  # comes and goes
    time.sleep(0.01)
