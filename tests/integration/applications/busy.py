# SPDX-License-Identifier: MIT
"""Allocates and frees at full speed in four threads until it is killed or its seconds are over."""
import sys
import threading
import time

END = time.time() + float(sys.argv[1])


def work():
    kept = []
    while time.time() < END:
        kept.append([bytearray(i % 3000) for i in range(50)])
        if len(kept) > 200:
            kept = kept[100:]
        dict((str(i), i) for i in range(100))


threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
print("ready")
sys.stdout.flush()
