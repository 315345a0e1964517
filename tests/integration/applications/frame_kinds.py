# -*- coding: utf-8 -*-
# SPDX-License-Identifier: MIT
"""Allocates in every kind of frame and says by sys._getframe which frames those were; JSON on stdout.

Each noted block is a text of its own size, so that its traceback must be found with at least that size.
"""
import ctypes
import json
import os
import sys
import threading

LIMIT = int(sys.argv[1])
new_names = sys.version_info >= (3, 11)
expected = []
kept = []


def note(block):
    """The chain of the caller's frames, oldest first, for a block made on the caller's current line."""
    chain = []
    frame = sys._getframe(1)
    while frame is not None and len(chain) < LIMIT:
        code = frame.f_code
        chain.append([code.co_filename, frame.f_lineno, code.co_qualname if new_names else code.co_name])
        frame = frame.f_back
    kept.append(block)
    expected.append([chain[::-1], len(block)])


def text():
    # The frame of text itself is no part of what is noted: the block is made by the caller.
    return 1000 + 7 * len(expected)


def plain():
    note("%d" % 1 * text())


def nested(depth):
    if depth:
        return nested(depth - 1)
    note("%d" % 1 * text())


def outer():
    def inner():
        note("%d" % 1 * text())
    return inner


class Kinds(object):
    note("%d" % 1 * text())

    class Deeper(object):
        note("%d" % 1 * text())

        def method(self):
            note("%d" % 1 * text())

    def __init__(self):
        note("%d" % 1 * text())

    @staticmethod
    def static():
        note("%d" % 1 * text())

    @classmethod
    def cls(cls):
        note("%d" % 1 * text())

    @property
    def prop(self):
        note("%d" % 1 * text())

    def __getattr__(self, name):
        note("%d" % 1 * text())

    def __lt__(self, other):
        note("%d" % 1 * text())
        return False

    def __del__(self):
        if note is not None:  # 2.7 empties modules before it calls this
            note("%d" % 1 * text())


def generator(depth):
    note("%d" % 1 * text())
    yield 1
    if depth:
        for value in generator(depth - 1):
            yield value
    note("%d" % 1 * text())


def decorated(function):
    def wrapper(*arguments):
        note("%d" % 1 * text())
        return function(*arguments)
    return wrapper


@decorated
def wrapped(
    first,
    second=(
        1,
    ),
):
    values = (first,
              second)
    note("%d" % 1 * text(
    ))
    return values


plain()
nested(3)
nested(60)
outer()()
kinds = Kinds()
kinds.Deeper().method()
kinds.static()
Kinds.cls()
kinds.prop
kinds.missing
sorted([kinds, Kinds(), Kinds()])
(lambda: note("%d" % 1 * text()))()
[note("%d" % 1 * text()) for _ in range(2)]
[[note("%d" % 1 * text()) for _ in range(1)] for _ in range(2)]
list(note("%d" % 1 * text()) for _ in range(2))
{number: note("%d" % 1 * text()) for number in range(2)}
list(map(lambda number: note("%d" % 1 * text()), range(2)))
for value in generator(3):
    plain()
half = generator(2)
next(half)
del half
wrapped(1)
sorted([1, 2], key=lambda value: nested(2) or value)
try:
    raise ValueError
except ValueError:
    plain()
finally:
    plain()
with threading.Lock():
    plain()
thread = threading.Thread(target=nested, args=(4,))
thread.start()
thread.join()

callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
numbers = (ctypes.c_int * 2)(2, 1)
ctypes.CDLL(None).qsort(numbers, 2, ctypes.sizeof(ctypes.c_int), callback(lambda left, right: nested(1) or 0))
ctypes.PyDLL(None).qsort(numbers, 2, ctypes.sizeof(ctypes.c_int), callback(lambda left, right: plain() or 0))

exec(compile("\n\n\ndef made():\n    note('%d' % 1 * text())\nmade()\nnote('%d' % 1 * text())\n", "<made>", "exec"))
exec(compile("\n" * 70000 + "note('%d' % 1 * text())\n", "<a long way down>", "exec"))
eval(compile("note('%d' % 1 * text())", "/no/such/folder/" + "n" * 3000 + ".py", "eval"))
if sys.version_info[0] > 2:
    exec(compile('''
async def child():
    note("%d" % 1 * text())

async def parent():
    await child()
    async for value in ticks():
        note("%d" % 1 * text())
    note("%d" % 1 * text())

async def ticks():
    note("%d" % 1 * text())
    yield 1

def größe():
    note("%d" % 1 * text())

def 関数():
    größe()

class Meta(type):
    def __new__(mcs, name, bases, body):
        note("%d" % 1 * text())
        return super().__new__(mcs, name, bases, body)

def delegate(depth):
    if depth:
        yield from delegate(depth - 1)
    else:
        note("%d" % 1 * text())
        yield 1
''', "<Übung.py>", "exec"))
    for _ in range(2):
        try:
            parent().send(None)
        except StopIteration:
            pass
    globals()[u"\u95a2\u6570"]()
    Meta("Made", (), {})
    next(delegate(30))
if sys.version_info >= (3, 12):
    exec(compile("def generic[T](value: T):\n    note('%d' % 1 * text())\ngeneric(1)\n", "<generic>", "exec"))


def tracer(frame, event, argument):
    return tracer


sys.settrace(tracer)
nested(2)
outer()()
for value in generator(1):
    plain()
sys.settrace(None)
sys.setprofile(lambda *_: None)
nested(2)
sys.setprofile(None)

try:
    import greenlet
except ImportError:
    greenlet = None
if greenlet:
    main = greenlet.getcurrent()

    def green():
        nested(2)
        main.switch()
        plain()

    one = greenlet.greenlet(green)
    one.switch()
    plain()
    one.switch()

# Code objects that die: their addresses are used again by others.
dead = [None] * 3000
for number in range(3000):
    source = "\n" * (number % 60) + "dead[number] = '%d' % 1 * 1000\n"
    exec(compile(source, "<dead %d>" % (number % 700), "exec"))

# A thread that Python does not know: malloc itself is its function.
libc = ctypes.CDLL(None)
pthread = ctypes.c_ulong()
result = ctypes.c_void_p()
foreign = 1234567
if libc.pthread_create(ctypes.byref(pthread), None, libc.malloc, ctypes.c_void_p(foreign)) == 0:
    libc.pthread_join(pthread, ctypes.byref(result))

status = libc.tracemalloc_take_snapshot(os.path.join(sys.argv[2], "kinds.tms").encode())
json.dump({"status": status, "expected": expected, "foreign": foreign, "greenlet": bool(greenlet)}, sys.stdout)
