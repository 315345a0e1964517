# SPDX-License-Identifier: MIT
"""Coroutines and asynchronous generators, half run and finished; an event loop."""
from measuring import measure

import asyncio

kept = []


class Ready(object):
    def __init__(self, value):
        self.value = value

    def __await__(self):
        got = yield [self.value]
        return (got, self.value)


async def child(number):
    local = {"number": number}
    result = await Ready(number)
    kept.append((result, local))
    return [result]


async def parent(count):
    results = []
    for number in range(count):
        results.append(await child(number))
    return results


async def ticker(limit):
    for number in range(limit):
        yield {"tick": number}


async def consume():
    seen = []
    async for tick in ticker(20):
        seen.append(tick)
    kept.append([tick async for tick in ticker(10)])
    kept.append({str(tick): [tick] async for tick in ticker(5)})
    return seen


class Context(object):
    async def __aenter__(self):
        self.entered = [1, 2, 3]
        return self

    async def __aexit__(self, *error):
        self.left = [4]


async def with_context():
    async with Context() as context:
        kept.append((context, {}))


async def worker(queue, number):
    while True:
        item = await queue.get()
        if item is None:
            break
        kept.append([number, item, str(item) * 3])


async def pipeline():
    queue = asyncio.Queue()
    tasks = [asyncio.ensure_future(worker(queue, number)) for number in range(3)]
    for item in range(40):
        await queue.put(item)
    for _ in tasks:
        await queue.put(None)
    await asyncio.gather(*tasks)


half = [parent(10) for _ in range(15)]
for index, one in enumerate(half):
    one.send(None)
    for _ in range(index % 4):
        one.send("value")
loop = asyncio.new_event_loop()
results = loop.run_until_complete(consume())
loop.run_until_complete(with_context())
loop.run_until_complete(pipeline())
for _ in range(5):
    loop.run_until_complete(asyncio.wait_for(consume(), None))

measure()

for one in half:
    one.close()
loop.close()
