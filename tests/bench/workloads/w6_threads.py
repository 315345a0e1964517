# SPDX-License-Identifier: MIT
# stresses: four threads that hand the GIL to each other, with native allocations while it is released
# sizes: full=240000 counted=12000 smoke=1200
import sys
import threading
import zlib

THREADS = 4
COMPRESS_EVERY = 40
BLOB = bytes(bytearray(range(256))) * 128


def make(count):
    return [{"id": i, "name": "n%d" % i, "v": (i, i + 1)} for i in range(count)]


def work(rounds):
    total = 0
    for i in range(rounds):
        total += len(make(20))
        if i % COMPRESS_EVERY == 0:
            zlib.compress(BLOB)
    return total


def run(size):
    threads = [threading.Thread(target=work, args=(size // 12,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


run(int(sys.argv[1]))
