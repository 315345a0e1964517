# SPDX-License-Identifier: MIT
"""Random work of many lines and depths, then the end by SIGKILL: what was traced stays in the live store.

usage: random_peak.py SEED THREADS
"""
import os
import random
import signal
import sys
import threading

held = {}


def a_bytes(rng):
    return bytearray(rng.choice((0, 1, 30, 500, 513, 5000, 70000)))


def a_list(rng):
    return [None] * rng.randrange(1, 400)


def a_dict(rng):
    return {number: str(number) for number in range(rng.randrange(40))}


def text(rng):
    return "t" * rng.randrange(1, 3000)


def several(rng):
    return [a_bytes(rng),
            text(rng),
            (float(rng.randrange(10)), a_dict(rng))]


def deeper(rng, depth=0):
    if depth < rng.randrange(12):
        return [deeper(rng, depth + 1)]
    return rng.choice(MAKERS[:5])(rng)


MAKERS = [a_bytes, a_list, a_dict, text, several, deeper]


def grow(rng, value):
    if isinstance(value, list):
        value.extend([0] * rng.randrange(200))
    elif isinstance(value, bytearray):
        value.extend(b"x" * rng.randrange(3000))


def step(rng, name, most):
    mine = held.setdefault(name, [])
    action = rng.random()
    if action < 0.5 and len(mine) < most:
        mine.append(rng.choice(MAKERS)(rng))
    elif action < 0.6 and mine:
        grow(rng, rng.choice(mine))
    elif mine:
        mine.pop(rng.randrange(len(mine)))
    if rng.random() < 0.01:
        del mine[rng.randrange(len(mine) + 1):]


def work(seed):
    rng = random.Random(seed)
    for _ in range(15):
        most = rng.choice((5, 50, 300))
        for _ in range(200):
            step(rng, seed, most)


seed, count = int(sys.argv[1]), int(sys.argv[2])
threads = [threading.Thread(target=work, args=(seed * 1000 + number,)) for number in range(count)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
work(seed)
os.kill(os.getpid(), signal.SIGKILL)
