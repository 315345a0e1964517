# SPDX-License-Identifier: MIT
# needs 3.12
"""Syntax of 3.8 to 3.12: walrus, match, except*, async generators, f-strings in f-strings, type parameters, inlined comprehensions."""
from measuring import measure

import asyncio
import contextvars
import dataclasses
import typing


@dataclasses.dataclass(slots=True, frozen=True)
class Point[Number: (int, float)]:
    x: Number
    y: Number

    def moved(self, by: Number) -> "Point[Number]":
        return dataclasses.replace(self, x=self.x + by)


type Tree[Leaf] = Leaf | list[Tree[Leaf]]


def first[Item](items: list[Item], *, default: Item | None = None) -> Item | None:
    return [*items, default][0]


def describe(value):
    match value:
        case Point(x=0, y=y):
            return ["on axis", y]
        case Point(x, y) if x > y:
            return {"wide": (x, y)}
        case [head, *rest]:
            return [describe(head), rest]
        case {"name": str(name), **others}:
            return name + str(len(others)), others
        case int() | float() as number:
            return [number] * 2
        case _:
            return (value,)


values = [Point(0, 5), Point(9, 2), Point(1, 2), [Point(0, 1), 2, 3], {"name": "x", "more": [1]}, 7, 2.5, "other", []]
described = [describe(value) for value in values * 4]
points = [Point(number, number + 1.0).moved(3) for number in range(1000, 1040)]
firsts = [first([number, [number]]) for number in range(1000, 1020)]
tree = Tree.__value__, Tree.__type_params__
nested = [f"{number:>{width}} {f'{[number] * 2!r:*^{width + 20}}'}" for number in range(20) if (width := number % 5 + 3)]
inlined = [[column * row + 5000 for column in range(6)] for row in range(8) if (total := row * 3) > 4]
by_name = {name: [value for value in range(4000, 4003)] for name in ("a%d" % number for number in range(10))}


def grouped(number):
    try:
        try:
            raise ExceptionGroup("group %d" % number, [ValueError([number]), TypeError({number: number}),
                                                       ExceptionGroup("inner", [KeyError("key %d" % number)])])
        except* ValueError as found:
            kept.append(found)
        except* KeyError as found:
            found.add_note("note %d" % number)
            kept.append(found)
    except ExceptionGroup as rest:
        kept.append(rest)


kept: list = []
for number in range(6):
    grouped(number)

variable = contextvars.ContextVar("variable", default=[])


async def count(limit):
    for number in range(limit):
        await asyncio.sleep(0)
        yield [number]


async def consume(name):
    variable.set([name])
    found = [item async for item in count(12)]
    async with asyncio.timeout(30):
        await asyncio.sleep(0)
    return found, variable.get()


async def main():
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(consume("task %d" % number)) for number in range(5)]
    return [task.result() for task in tasks]


results = asyncio.run(main())
positions = [*zip(*[[number, -number] for number in range(300, 320)], strict=True)]
merged = {"a": [1]} | {"b": [2]}


def pass_on(first, /, *rest, key: typing.Any = None, **others):
    return [first, *rest], {"key": key, **others}


passed = [pass_on(number, [number], key=number, other=(number,)) for number in range(600, 620)]

measure()
