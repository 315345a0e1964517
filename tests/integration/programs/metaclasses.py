# SPDX-License-Identifier: MIT
"""Classes made by code: metaclasses, descriptors, slots, abc, enum, typing, namedtuple, __class__ that changes, super chains."""
from measuring import measure

import abc
import collections
import contextlib
import enum
import functools
import types
import typing

made = []


class Meta(type):
    @classmethod
    def __prepare__(mcs, name, bases, **options):
        return collections.OrderedDict(prepared=[name])

    def __new__(mcs, name, bases, body, **options):
        body["fields"] = [key for key in body if not key.startswith("_")]
        made.append((name, options))
        return super().__new__(mcs, name, bases, dict(body))

    def __init__(cls, name, bases, body, **options):
        super().__init__(name, bases, body)
        cls.registry = {name: cls}

    def __call__(cls, *arguments):
        instance = super().__call__(*arguments)
        made.append([instance])
        return instance


class Field(object):
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner):
        return self if instance is None else getattr(instance, self.name, None)

    def __set__(self, instance, value):
        setattr(instance, self.name, [value])


class Model(metaclass=Meta, table="models"):
    first, second = Field(), Field()

    def __init__(self, first, second=0):
        self.first = first
        self.second = second

    def __init_subclass__(cls, **options):
        super().__init_subclass__()
        made.append({cls.__name__: options})


Derived = [Meta("Derived%d" % number, (Model,), {"third": Field(), "number": number}) for number in range(12)]
models = [derived(number) for derived in Derived for number in range(4)]


class Slotted(object):
    __slots__ = "a", "b", "__weakref__"

    def __init__(self, a):
        self.a = a
        self.b = (a, a)


class SlottedMore(Slotted):
    __slots__ = ("c",)


slotted = [Slotted(str(number)) for number in range(40)] + [SlottedMore(str(number)) for number in range(40)]


class Shape(abc.ABC):
    @property
    @abc.abstractmethod
    def area(self):
        raise NotImplementedError


@Shape.register
class Odd(object):
    pass


class Square(Shape):
    def __init__(self, side):
        self.side = side

    @functools.lru_cache(maxsize=None)
    def grown(self, by):
        return Square(self.side + by)

    @property
    def area(self):
        return self.side * self.side * 1.5


squares = [Square(number).grown(1) for number in range(20)]
areas = [square.area for square in squares]
checks = [isinstance(one, Shape) for one in (Odd(), squares[0], 3)]

Colour = enum.Enum("Colour", "RED GREEN BLUE")


class Permission(enum.IntFlag):
    READ = 4
    WRITE = 2
    RUN = 1


flags = [Permission(number) for number in range(8)]
Point = collections.namedtuple("Point", "x y z")
points = [Point(number, number * 1.5, [number]) for number in range(50)]
moved = [point._replace(x=-1000 - point.x) for point in points]
Pair = typing.NamedTuple("Pair", [("left", int), ("right", str)])
pairs = [Pair(number, "right %d" % number) for number in range(20)]


class Before(object):
    pass


class After(object):
    def __getattribute__(self, name):
        made.append([name])
        return super().__getattribute__(name)


changing = [Before() for _ in range(10)]
for number, one in enumerate(changing):
    one.number = number + 1000
    one.__class__ = After
seen = [one.number for one in changing]
module = types.ModuleType("made_here", "text")
module.__dict__.update({"name %d" % number: [number] for number in range(20)})
bound = [types.MethodType(function, module) for function in (repr, lambda self: [self])]


class Base(object):
    def walk(self, path=()):
        return path + (type(self).__name__,)


class Left(Base):
    def walk(self, path=()):
        return super().walk(path + ("left",))


class Right(Base):
    def walk(self, path=()):
        return super().walk(path + ("right",))


class Both(Left, Right):
    def walk(self, path=()):
        return super().walk(path + ("both",))


walks = [Both().walk() for _ in range(20)]


@contextlib.contextmanager
def opened(name):
    made.append("open " + name)
    try:
        yield [name]
    finally:
        made.append("close " + name)


with contextlib.ExitStack() as stack:
    names = [stack.enter_context(opened("name %d" % number)) for number in range(10)]
spaces = [types.SimpleNamespace(number=number, more=[number]) for number in range(20)]

measure()
