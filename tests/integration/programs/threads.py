# SPDX-License-Identifier: MIT
"""Threads: each allocates and keeps, some are still alive at the end; locals, locks, queues."""
from measuring import measure

import os
import threading
import time

THREADS = 4
results = [None] * THREADS
local = threading.local()
go_on = threading.Event()
ready = threading.Semaphore(0)


class Forgetful(object):
    """threading's set of weak references: when its table grows depends on the addresses of dead threads."""
    def add(self, thread):
        pass

    def __iter__(self):
        return iter(())


threading._dangling = Forgetful()


def work(number):
    local.own = [number]
    mine = []
    for turn in range(200):
        mine.append([turn, float(turn)])
        if turn % 4 == 0:
            mine.append({"turn": str(turn)})
    del mine[50:80]
    results[number] = mine


def wait(number):
    held = [[number, turn] for turn in range(50)]
    nested(10, held)


def nested(depth, held):
    if depth:
        return nested(depth - 1, held + [depth])
    ready.release()
    go_on.wait()


for number in range(THREADS):
    thread = threading.Thread(target=work, args=(number,))
    thread.start()
    thread.join()

waiting = []
for number in range(2):
    thread = threading.Thread(target=wait, args=(number,), daemon=True)
    thread.start()
    ready.acquire()
    waiting.append(thread)

# A thread that was joined still has its state to give back: two measurements, one after the other, would differ by it.
while len(os.listdir("/proc/self/task")) > 1 + len(waiting):
    time.sleep(0.001)

lock = threading.RLock()
guarded = []
with lock:
    guarded.extend((number, [number]) for number in range(40))

measure()

go_on.set()
for thread in waiting:
    thread.join()
