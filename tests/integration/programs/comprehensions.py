# SPDX-License-Identifier: MIT
"""Comprehensions of every kind, nested, with functions and conditions inside; unpacking and slicing."""
from measuring import measure


def twice(value):
    return [value, value]


plain = [number for number in range(1000, 1300)]
pairs = [(left, right) for left in range(20) for right in "abc"]
matrix = [[row * column + 1000 for column in range(15)] for row in range(15)]
flattened = [value for row in matrix for value in row if value % 2]
turned = {key: [value, {key}] for key, value in enumerate("abcdefghijklmnop")}
unique = {(number % 7, str(number % 11)) for number in range(150)}
called = [twice([inner for inner in range(number)]) for number in range(30)]
conditions = [[number] if number % 3 else {"n": number} for number in range(60)]
lambdas = [(lambda value=number: [value + other for other in range(value % 5)])() for number in range(30)]
generators = [sum(float(value) for value in range(number)) for number in range(25)]


def function(count):
    inside = [[number] for number in range(count)]
    deeper = {number: {other: [other] for other in range(3)} for number in range(count)}
    return inside, deeper, [len(row) * 1.5 for row in inside]


class Body(object):
    table = [[number] for number in range(40)]
    names = {"f%d" % number: number for number in range(20)}


results = [function(count) for count in range(1, 15)]
first, *middle, last = [[number] for number in range(50)]
merged = {**turned, **{"x%d" % number: [number] for number in range(10)}}
spread = [*plain[:20], *map(str, range(20)), *middle]
parts = [plain[start::7] for start in range(20)]
backwards = [part[::-1] for part in parts]
zipped = list(zip(plain, map(float, plain), matrix))
multi = [
    (
        number,
        [number * 1.0],
        {
            "key": [
                number
            ],
        },
    )
    for number in range(40)
    if number % 3
]
walrus = [dict(a=number,
               b=str(number),
               c=twice(number)) for number in range(25)]

measure()
