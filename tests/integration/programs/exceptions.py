# SPDX-License-Identifier: MIT
"""Exceptions kept with their tracebacks and frames, chained, raised through C, in finally and in generators."""
from measuring import measure

import contextlib

kept = []


class Trouble(Exception):
    def __init__(self, message, detail):
        super().__init__(message)
        self.detail = detail


def fail(depth):
    local = ["local"] * depth
    if depth:
        try:
            fail(depth - 1)
        finally:
            local.append(depth)
    else:
        raise Trouble("at the bottom %r" % local, {"depth": depth})


for number in range(20):
    try:
        fail(number % 6)
    except Trouble as error:
        kept.append(error)

for number in range(20):
    try:
        try:
            {}[number]
        except KeyError as error:
            raise ValueError("wrapped %d" % number) from error
    except ValueError as error:
        kept.append((error, error.__cause__))

for number in range(30):
    try:
        int("no number %d" % number)
    except ValueError as error:
        kept.append(str(error))

for number in range(10):
    try:
        sorted([3, 1, 2], key=lambda value: [value][number + 1])
    except IndexError as error:
        kept.append(error)


@contextlib.contextmanager
def guarded(name):
    log = [name]
    try:
        yield log
    except Trouble as error:
        log.append(error)
    finally:
        kept.append(log)


for number in range(10):
    with guarded("guard %d" % number) as log:
        log.append([number])
        fail(2)

with contextlib.ExitStack() as stack:
    for number in range(15):
        stack.callback(kept.append, [number, "callback"])


def stubborn():
    while True:
        try:
            yield [1]
        except Trouble as error:
            kept.append(error.detail)


generator = stubborn()
next(generator)
for number in range(12):
    kept.append(generator.throw(Trouble("thrown", [number])))

for number in range(15):
    with contextlib.suppress(AttributeError):
        getattr(kept, "missing%d" % number)

measure()
