# SPDX-License-Identifier: MIT
"""Random work of Python threads and of threads without the GIL side by side, then the end by SIGKILL.

usage: random_native.py LIBRARY SEED MOST STEPS NATIVE CALLING PYTHON RAW HELD
       NATIVE threads that Python does not know, CALLING threads of Python that release the GIL, PYTHON threads that
       hold it (beside the main one); each holds up to MOST bytes.  Without all three the main thread alone calls the
       library.
       RAW 1: without the GIL comes CPython's raw domain too, not libc's malloc alone.
       HELD 1: threads of Python call the library under the GIL.
"""
import ctypes
import random
import sys
import threading

seed, most, steps, native, calling, python, raw, held = map(int, sys.argv[2:])
library = (ctypes.PyDLL if held else ctypes.CDLL)(sys.argv[1])
run = library.churn_run
run.argtypes = [ctypes.c_uint64, ctypes.c_uint, ctypes.c_size_t, ctypes.c_uint]
library.churn_start.argtypes = [ctypes.c_uint, ctypes.c_uint64, ctypes.c_uint, ctypes.c_size_t]


def call(number, part, shares):
    run(number, part, most, shares)


def deeper(rng, number, part, shares, depth=0):
    if depth < rng.randrange(6):
        return deeper(rng, number, part, shares, depth + 1)
    if rng.random() < 0.5:
        return call(number, part, shares)
    return run(number + 1, part, most, shares)


def change(rng, kept):
    for _ in range(30):
        if kept and rng.random() < 0.5:
            kept.pop(rng.randrange(len(kept)))
        else:
            kept.append(bytearray(rng.choice((30, 700, 5000, 40000))))


def without(number, shares=1):
    rng, kept = random.Random(number), []
    turns = 200 if held else 4  # under the GIL blocks of Python come and go between
    for turn in range(turns):
        deeper(rng, number * 100 + turn, steps // turns, shares)
        if held:
            change(rng, kept)


def under(number):
    rng = random.Random(number)
    kept, bytes_ = [], 0
    for turn in range(steps // 4):
        if turn % 300 == 0:
            wanted = rng.randrange(most)
        if bytes_ < wanted:
            kept.append(bytearray(rng.choice((30, 700, 5000, 40000))))
            bytes_ += len(kept[-1])
        elif kept:
            bytes_ -= len(kept.pop(rng.randrange(len(kept))))
        if turn % 50 == 0:
            kept.append(str(turn) * rng.randrange(300))
            bytes_ += len(kept[-1])


if raw:
    library.churn_use_raw()
if not (native or calling or python):
    without(seed, 0)
    library.churn_end()
threads = [threading.Thread(target=without, args=(seed + number,)) for number in range(calling)]
threads += [threading.Thread(target=under, args=(seed + number,)) for number in range(python)]
assert library.churn_start(native, seed + 1000, steps, most) == 0
for thread in threads:
    thread.start()
under(seed + 99)
library.churn_join()
for thread in threads:
    thread.join()
library.churn_end()
