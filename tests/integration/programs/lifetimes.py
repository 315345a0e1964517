# SPDX-License-Identifier: MIT
"""Objects that die: __del__ that allocates, resurrection, weak references, finalizers, cycles and the collector."""
from measuring import measure

import gc
import sys
import weakref

log = []
saved = []


class Noisy(object):
    def __init__(self, number):
        self.number = number
        self.payload = [number] * 5

    def __del__(self):
        log.append("gone %d" % self.number)


class Phoenix(object):
    def __init__(self, name):
        self.name = name
        self.rises = 0

    def __del__(self):
        self.rises += 1
        saved.append({self.name: self})


class Node(object):
    def __init__(self, previous=None):
        self.previous = previous
        self.itself = self
        self.data = bytearray(64)


def leave_cycles(number):
    node = None
    for _ in range(number):
        node = Node(node)
    return weakref.ref(node)


noisy = [Noisy(number) for number in range(60)]
del noisy[::2]
for index in range(10):
    noisy[index] = Noisy(100 + index)  # the old one dies while the new one is there
swapped = noisy[5]
swapped = None

rising = [Phoenix("bird %d" % number) for number in range(15)]
while rising:
    rising.pop()

watched = [leave_cycles(12) for _ in range(6)]
alive_before = sum(reference() is not None for reference in watched)
collected = gc.collect()
alive_after = sum(reference() is not None for reference in watched)

phases = []
gc.callbacks.append(lambda phase, facts: phases.append((phase, dict(facts))))
more = [leave_cycles(3) for _ in range(4)]
gc.collect()
gc.collect(0)
gc.callbacks.pop()


def on_end(kind, sizes=[]):
    sizes.append([kind] * 3)
    log.append((kind, len(sizes)))


class Plain(object):
    pass


owners = [Plain() for _ in range(30)]
finalizers = [weakref.finalize(owner, on_end, "kind") for owner in owners]
references = [weakref.ref(owner, lambda dead: log.append([dead])) for owner in owners]
proxies = [weakref.proxy(owner) for owner in owners]
values = weakref.WeakValueDictionary((number, owner) for number, owner in enumerate(owners))
del owners[::3]
for finalizer in finalizers[1:6]:
    finalizer()
for finalizer in finalizers:
    finalizer.atexit = False

try:
    raise KeyError(Noisy(500))
except KeyError as error:
    kept_error = error
    error.again = Noisy(501)
del kept_error


def half_way():
    held = Noisy(600)
    try:
        yield held.number
        yield held
    finally:
        log.append({"closed": held.number})


generators = [half_way() for _ in range(12)]
started = [next(generator) for generator in generators]
generators[3].close()
del generators[6:9]
counts = [sys.getrefcount(owner) for owner in owners[:5]]

measure()
