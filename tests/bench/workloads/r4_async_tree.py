# SPDX-License-Identifier: MIT
# stresses: a tree of asyncio tasks: coroutines, futures and contexts that live shortly; stacks that change at each step
# sizes: full=3 counted=1 smoke=1
# needs: asyncio.runners
import asyncio
import sys

DEPTH = 5
WIDTH = 7
SHALLOW = 3


async def leaf(number):
    await asyncio.sleep(0)
    return {"number": number, "text": "leaf %d" % number}


async def branch(depth, number):
    if depth == 0:
        return [await leaf(number)]
    parts = await asyncio.gather(*(branch(depth - 1, number * WIDTH + i) for i in range(WIDTH)))
    return [item for part in parts for item in part]


rounds = int(sys.argv[1])
for _ in range(rounds):
    items = asyncio.run(branch(DEPTH if rounds > 1 else SHALLOW, 0))
