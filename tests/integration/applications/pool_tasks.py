# SPDX-License-Identifier: MIT
"""A pool of four processes does 10,000 tasks; its processes are replaced now and then."""
import multiprocessing

kept = []


def task(number):
    kept.append(b"x" * 20000 + b"y")  # top
    return number * number


if __name__ == "__main__":
    pool = multiprocessing.get_context("fork").Pool(4, maxtasksperchild=20)
    print(sum(pool.imap_unordered(task, range(10000), chunksize=50)))
    pool.close()
    pool.join()
