# SPDX-License-Identifier: MIT
"""Stacks that change in every way between two allocations: what a cache of the last stack could mistake.

Usage: stack_changes.py SNAPSHOT [malloc].  Every kept block has a size that says which case made it.  With "malloc"
libc is asked for blocks as well, by a call that keeps the GIL and by one that releases it.
"""
import ctypes
import functools
import gc
import sys
import threading

KEPT = []
STEPS = 6000


MALLOCS = []


def keep(size):
    KEPT.append(bytearray(b"x" * (500 + size)))
    KEPT.append([None] * (size % 40 + 1))
    for malloc, free in MALLOCS:
        for wanted in 700 + size, 20 + size % 490:
            address = malloc(ctypes.c_size_t(wanted))
            if size % 3 == 0:
                free(ctypes.c_void_p(address))


def leaf(size):
    keep(size)


def parent(size):
    leaf(size)


def other_parent(size):
    leaf(size); leaf(size + 1)


def same_frames_other_instructions():
    """The callee's frame lies where it lay; only an instruction far below is another."""
    for size in range(50):
        parent(size)
        parent(size)
        other_parent(size); other_parent(size)


def depth(levels, size):
    keep(size)
    if levels:
        depth(levels - 1, size)
        keep(size + 1)
    return None


def deep_generator(levels):
    if levels == 0:
        for size in range(30):
            keep(size)
            yield size
    else:
        for size in deep_generator(levels - 1):
            yield size


def advance(generator, levels):
    return advance(generator, levels - 1) if levels else next(generator)


def generators_from_other_callers():
    generators = [deep_generator(levels) for levels in (0, 1, 5)]
    for turn in range(20):
        for generator in generators:
            advance(generator, turn % 7)
            next(generator) if turn % 3 == 0 else None
    for generator in generators:
        generator.close()


def raising(levels, size):
    try:
        keep(size)
        if levels == 0:
            raise ValueError(bytearray(700))
        raising(levels - 1, size)
    except ValueError:
        keep(size + 2)
        if levels % 2:
            raise
    finally:
        keep(size + 3)


def exceptions():
    for size in range(20):
        try:
            raising(size % 5, size)
        except ValueError:
            keep(size)


def key_of(value):
    keep(value)
    return -value


class Operators(object):
    def __lt__(self, other):
        keep(3)
        return True

    def __getattr__(self, name):
        keep(len(name))
        return name

    def __del__(self):
        keep(9)


def called_by_c():
    sorted(range(20), key=key_of)
    list(map(key_of, range(20)))
    functools.reduce(lambda a, b: key_of(b), range(20))
    sorted([Operators() for _ in range(5)])
    getattr(Operators(), "missing")
    back = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda value: key_of(value) or 1)
    for value in range(10):
        back(value)
        back(value)


def traced_calls():
    def trace(frame, event, argument):
        KEPT.append(bytearray(600 + len(event)))
        return trace
    sys.settrace(trace)
    try:
        parent(1)
        depth(4, 2)
    finally:
        sys.settrace(None)


def codes_that_die():
    """Code objects that are freed and made again where others were, with the same instructions on other lines."""
    for number in range(300):
        text = "\n" * (number % 50) + "def made(size):\n    keep(size)\n    return bytearray(size + 600)\n"
        names = {"keep": keep}
        exec(compile(text, "<made %d>" % (number % 7), "exec"), names)
        KEPT.append(names["made"](number % 30))
        KEPT.append(names["made"](number % 30))


def call_often(call):
    for _ in range(3):
        call()


def codes_at_one_place():
    """The same, each where the one before was: all that tells them apart is that one has died.  Far below the peak."""
    for malloc, free in MALLOCS:
        free(ctypes.c_void_p(malloc(ctypes.c_size_t(1 << 28))))
        size = ctypes.c_size_t(900)
        for number in range(300):
            code = call_often.__code__.replace(co_filename="<made %d>" % (number % 7))
            type(keep)(code, globals())(lambda: malloc(size))
            del code


def threads_in_turn():
    turns = [threading.Semaphore(1), threading.Semaphore(0)]

    def work(own, other):
        for size in range(200):
            own.acquire()
            parent(size)
            depth(size % 5, size)
            other.release()

    workers = [threading.Thread(target=work, args=(turns[i], turns[1 - i])) for i in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


class Walk(object):
    """Calls that nobody planned: a function calls others from one of three lines each and allocates in between."""

    def __init__(self):
        self.seed = 1
        self.left = STEPS

    def next(self, below):
        self.seed = (self.seed * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.seed >> 8) % below

    def step(self, level):
        while self.left > 0:
            self.left -= 1
            choice = self.next(10)
            if choice == 0 and level < 40:
                self.step(level + 1)
            elif choice == 1 and level < 40:
                self.step(level + 1)
            elif choice == 2 and level < 40:
                self.through_c(level)
            elif choice < 5 and level > 0:
                return
            elif choice == 5:
                KEPT.append(bytearray(600 + self.next(8)))
            elif choice == 6:
                KEPT.append((self.left, self.seed, [level]))
            else:
                leaf(choice)

    def through_c(self, level):
        list(map(self.step, (level + 1,)))


class Jump(Exception):
    pass


class Jumps(object):
    """Far deeper than most limits, with returns of many levels at once: frames that were cut off come back, some of
    them changed meanwhile."""

    def __init__(self):
        self.walk = Walk()
        self.left = 250

    def down(self, level, target, catch):
        self.left -= 1
        if level == min(target, 100):
            if self.walk.next(2):
                raise Jump
            return
        if self.walk.next(8) == 0:
            keep(level)
        try:
            self.down(level + 1, target, catch)
            self.left > 0 and self.down(level + 1, level + 1 + self.walk.next(30), level + self.walk.next(20))
        except Jump:
            if level != catch:
                raise
            keep(level); leaf(level)
        self.walk.next(4) or leaf(3)


def jumps():
    jumper = Jumps()
    while jumper.left > 0:
        target = jumper.walk.next(130)
        try:
            jumper.down(0, target, jumper.walk.next(target + 1))
        except Jump:
            pass


def run(cases):
    for case in cases:
        case()


def main():
    gc.disable()
    cases = [same_frames_other_instructions, generators_from_other_callers, exceptions, called_by_c, traced_calls,
             codes_that_die, lambda: depth(60, 5), lambda: Walk().step(0), jumps]
    if sys.version_info >= (3, 6):
        import stack_changes3
        cases += stack_changes3.cases(keep)
    if sys.version_info >= (3, 11):
        import stack_marks
        cases += stack_marks.cases(keep)
        cases.append(threads_in_turn)  # before, frames are objects, and which of them are at hand is a matter of time
        cases.append(codes_at_one_place)
    if sys.argv[2:] == ["malloc"]:
        MALLOCS.extend((library.malloc, library.free) for library in (ctypes.PyDLL(None), ctypes.CDLL(None)))
        for malloc, free in MALLOCS:
            malloc.restype = ctypes.c_void_p
            free.restype = None
    run(cases)
    take = ctypes.CDLL(None).tracemalloc_take_snapshot
    sys.exit(take(sys.argv[1].encode()))


if __name__ == "__main__":
    main()
