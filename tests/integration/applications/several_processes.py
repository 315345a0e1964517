# SPDX-License-Identifier: MIT
"""multiprocessing with the start method that is named on the command line."""
import multiprocessing
import os
import sys


def work(number):
    return sum(len(block) for block in [bytearray(100) for _ in range(number * 1000)])


def who(_):
    return os.getpid() if work(1) else 0


if __name__ == "__main__":
    if hasattr(multiprocessing, "set_start_method"):
        multiprocessing.set_start_method(sys.argv[1])
    blocks = [("%05d" % index) * 200 for index in range(15000)]  # top
    pool = multiprocessing.Pool(2)
    print(pool.map(work, [1, 2, 3]))
    workers = set()
    while len(workers) < 2:  # each has worked
        workers.update(pool.map(who, range(4), 1))
    pool.close()
    pool.join()
    process = multiprocessing.Process(target=work, args=(1,))
    process.start()
    process.join()
    print(process.exitcode, len(blocks))
