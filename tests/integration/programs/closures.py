# SPDX-License-Identifier: MIT
"""Closures, partial functions, decorators and cached calls."""
from measuring import measure

import functools
import operator


def counter(start):
    state = [start]
    step = float(start)

    def advance(by=1):
        state.append(by + step)
        return lambda: (state, by, step)

    return advance


def traced(function):
    calls = []

    @functools.wraps(function)
    def wrapper(*positional, **named):
        calls.append((positional, named))
        return function(*positional, **named)

    wrapper.calls = calls
    return wrapper


@traced
def join(*parts, **options):
    return options.get("sep", "-").join(map(str, parts))


@functools.lru_cache(maxsize=64)
def square(number):
    return [number, number ** 2]


@functools.lru_cache(maxsize=None)
def fibonacci(number):
    return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)


counters = [counter(number) for number in range(60)]
thunks = [one(number) for number, one in enumerate(counters)]
values = [thunk() for thunk in thunks]
joined = [join(number, "x", sep="/" * (number % 3)) for number in range(80)]
squares = [square(number % 90) for number in range(300)]
big = fibonacci(120)
partials = [functools.partial(join, number, sep="+") for number in range(40)]
results = [one("y") for one in partials]
getters = [operator.itemgetter(number, number + 1) for number in range(20)]
picked = [getter("abcdefghijklmnopqrstuvwxyz") for getter in getters]
reduced = functools.reduce(lambda left, right: left + [right], range(50), [])
defaults = [lambda first=[number], *, second={}: (first, second) for number in range(25)]

measure()
