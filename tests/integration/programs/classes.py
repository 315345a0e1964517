# SPDX-License-Identifier: MIT
"""Classes made and used: instances, __slots__, properties, metaclasses, bound methods, weak references."""
from measuring import measure

import abc
import collections
import enum
import weakref


class Plain(object):
    count = 0

    def __init__(self, number):
        self.number = number
        self.text = "plain %d" % number
        Plain.count += 1

    def method(self):
        return self.number

    @property
    def double(self):
        return self.number * 2.0


class Slotted(object):
    __slots__ = ("left", "right", "__weakref__")

    def __init__(self, left, right):
        self.left = left
        self.right = right


class Meta(type):
    def __new__(mcs, name, bases, body):
        body["made"] = [name] * 3
        return super().__new__(mcs, name, bases, body)


class Derived(Plain, metaclass=Meta):
    def __init__(self, number):
        super().__init__(number)
        self.extra = {"n": number}

    def __getattr__(self, name):
        return [name]


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self):
        ...


class Square(Shape):
    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side ** 2


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


Point = collections.namedtuple("Point", "x y z")

plain = [Plain(number) for number in range(200)]
slotted = [Slotted(number, [number]) for number in range(200)]
derived = [Derived(number) for number in range(100)]
missing = [one.something for one in derived[:30]]
methods = [one.method for one in plain[:70]]
doubles = [one.double for one in plain]
points = [Point(number, float(number), str(number)) for number in range(150)]
areas = [Square(side + 0.5).area() for side in range(50)]
classes = [type("Made%d" % number, (Plain,), {"field": number}) for number in range(20)]
made = [cls(1) for cls in classes]
weak = [weakref.ref(one) for one in slotted[:50]]
mapping = weakref.WeakValueDictionary(("k%d" % number, one) for number, one in enumerate(plain[:40]))
called = [weakref.ref(one, lambda gone: None) for one in slotted[50:60]]
for one in plain[100:120]:
    one.later = [one.number]
del plain[150:]
colours = [Colour(1 + number % 2) for number in range(10)]

measure()
