# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT
"""Makes thousands of objects in frames of all kinds, each with the frames of its birth from sys._getframe, then asks the
library for each object's traceback.  Usage: object_tracebacks.py LIMIT; JSON on stdout.

What 2.7 can be compared with: it has no tracemalloc.  The objects' types have no free list.
"""
import ctypes
import json
import re
import sys
import threading

LIMIT = int(sys.argv[1])
SHOWN = 3
made = []


class Small(object):
    __slots__ = ("frames",)


class Large(object):
    __slots__ = tuple("abcdefghijklmnop") + ("frames",)


def born(thing):
    """To be called on the line that makes the object."""
    thing.frames = []
    frame = sys._getframe(1)
    while frame is not None and len(thing.frames) < LIMIT:
        thing.frames.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    made.append(thing)
    return thing


class Odd(object):
    def __getattr__(self, name):
        return born(Small())

    def __lt__(self, other):
        born(Large())
        return id(self) < id(other)

    def __del__(self):
        born(Small())


class Unknown(object):
    pass


def leaves(count):
    born(Small()); born(Large())
    return [born(Small()) for _ in range(count)]


def descend(depth):
    if depth:
        descend(depth - 1)
        born(Small())
    else:
        leaves(3)


def generated(count):
    for number in range(count):
        born(Small())
        yield born(Large())
        descend(number % 7)


def waiting():
    yield Large()
    yield Large()
    yield Large()


def resumed():
    """A frame that stays the newest one while its caller goes on: nothing else is allocated in between."""
    waits = waiting()
    first = next(waits)
    second = next(waits)
    third = next(waits)
    there, here = waiting.__code__, resumed.__code__
    for at, thing in enumerate((first, second, third)):
        born(thing)
        thing.frames = [(there.co_filename, there.co_firstlineno + 1 + at),
                        (here.co_filename, here.co_firstlineno + 3 + at)][:LIMIT] + thing.frames[1:max(LIMIT - 1, 0)]


def replaced(match):
    born(Small())
    return match.group()


def raising():
    try:
        raise ValueError(born(Small()))
    except ValueError:
        born(Large())
    finally:
        born(Small())


SOURCE = "born(Small())\n\nborn(Large())\ndef inner():\n  return born(Small())\ninner()"


def work(number):
    descend(number % 30)
    list(generated(5))
    resumed()
    re.sub("a", replaced, "banana")
    Odd().anything
    sorted(Odd() for _ in range(5))
    # Each code takes the memory of one before it, of another file.
    exec(compile(SOURCE, "<made %d>" % number, "exec"), globals())
    json.loads('[{"a": 1}, {"b": [2]}]', object_hook=lambda found: born(Small()))
    json.dumps([Unknown()], default=lambda thing: [born(Small()), 1][1])
    list(map(lambda place: born(Small()), range(4)))
    raising()


class Frame(ctypes.Structure):
    _fields_ = [("filename", ctypes.c_char_p), ("function", ctypes.c_char_p), ("lineno", ctypes.c_uint)]


def asked(ask, thing, frames):
    """Newest frame first, as in sys._getframe; an errno value when the object is not known."""
    total = ctypes.c_uint()
    error = ask(id(thing), frames, LIMIT, ctypes.byref(total))
    found = [(frame.filename.decode(), frame.lineno) for frame in frames[:min(total.value, LIMIT)]]
    return error or found[::-1]


def main():
    for number in range(60):
        work(number)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ask = ctypes.CDLL(None).tracemalloc_get_object_traceback
    ask.argtypes = [ctypes.c_void_p, ctypes.POINTER(Frame), ctypes.c_uint, ctypes.POINTER(ctypes.c_uint)]
    frames = (Frame * LIMIT)()
    answers = [(asked(ask, thing, frames), thing.frames) for thing in list(made)]
    wrong = [answer for answer in answers if answer[0] != answer[1]]
    json.dump({"objects": len(answers), "frames": sum(len(answer[1]) for answer in answers), "differing": len(wrong),
               "first": wrong[:SHOWN]}, sys.stdout)


main()
