# SPDX-License-Identifier: MIT
"""What Python 3 adds to stack_changes.py: yield from, coroutines, tasks."""
import asyncio


def cases(keep):
    def inner(size):
        for _ in range(5):
            keep(size)
            got = yield size
            if got:
                keep(size + got)

    def outer(size):
        yield from inner(size)
        keep(size)
        yield from inner(size + 1)

    def delegated():
        for size in range(20):
            generator = outer(size)
            next(generator)
            for step in range(6):
                generator.send(step)
            try:
                generator.throw(KeyError)
            except KeyError:
                keep(size)

    async def awaited(size):
        keep(size)
        await asyncio.sleep(0)
        keep(size + 1)
        return size

    async def task(size):
        for turn in range(5):
            keep(turn)
            await awaited(size)

    async def many():
        for group in range(3):
            await asyncio.gather(*[task(group + size) for size in range(8)])
            await awaited(group)

    def tasks():
        loop = asyncio.new_event_loop()
        loop.run_until_complete(many())
        loop.close()

    return [delegated, tasks]
