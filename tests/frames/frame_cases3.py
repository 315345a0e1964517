# SPDX-License-Identifier: MIT
"""Stacks that need the syntax of Python 3.6 or a later module."""
import asyncio
import sys


def add(case, probe):
    check = probe.check

    @case
    def delegation():
        def deep(n):
            if n == 0:
                check('yield from, 100 deep')
                yield 1
                check('yield from, 100 deep, resumed')
            else:
                yield from deep(n - 1)
        list(deep(100))

    @case
    def coroutines():
        class Manager:
            async def __aenter__(self):
                check('__aenter__')

            async def __aexit__(self, *info):
                await asyncio.sleep(0)
                check('__aexit__')

        async def numbers():
            for i in range(3):
                check('async generator')
                await asyncio.sleep(0)
                yield i
                check('async generator, resumed')

        async def deep(n):
            if n == 0:
                check('await, 50 deep')
                await asyncio.sleep(0)
                check('await, 50 deep, resumed')
            else:
                await deep(n - 1)

        async def main():
            check('coroutine')
            async for i in numbers():
                check('async for')
            [check('async comprehension') async for i in numbers()]
            async with Manager():
                check('async with')
            await asyncio.gather(deep(50), deep(50), deep(3))
            asyncio.get_event_loop().call_soon(lambda: check('callback of the loop'))
            await asyncio.sleep(0.01)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(main())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    @case
    def monitoring():
        if not hasattr(sys, 'monitoring'):
            return
        from __main__ import some_lines
        mon = sys.monitoring
        seen = []

        def on_instruction(code, offset):
            seen.append(offset)
            if len(seen) % 5 == 0:
                mon.set_local_events(3, some_lines.__code__, 0)
                check('in an instruction event')
                mon.set_local_events(3, some_lines.__code__, mon.events.INSTRUCTION | mon.events.LINE)
        mon.use_tool_id(3, 'frames')
        mon.register_callback(3, mon.events.INSTRUCTION, on_instruction)
        mon.register_callback(3, mon.events.LINE, lambda code, line: check('in a line event'))
        mon.set_local_events(3, some_lines.__code__, mon.events.INSTRUCTION | mon.events.LINE)
        some_lines('monitored')
        mon.set_local_events(3, some_lines.__code__, 0)
        mon.free_tool_id(3)
        some_lines('monitored before')
        if not seen:
            probe.fault('monitoring', 'no event')

    @case
    def hot_code():
        """Specialised and, where there is one, compiled by the second tier."""
        def hot(x, last):
            total = 0
            for i in range(x):
                total += i * 2
                if i == last:
                    check('hot loop')
            return total
        for _ in range(50):
            hot(500, 499)
        for _ in range(300):
            hot(500, -1)
        hot(500, 499)

    @case
    def patterns():
        if sys.version_info < (3, 10):
            return
        exec(compile('match [1, 2]:\n    case [a, b] if check("guard") is None:\n        check("case")\n',
                     '<match>', 'exec'), {'check': check})
        if sys.version_info >= (3, 11):
            exec(compile('try:\n    raise ExceptionGroup("g", [ValueError()])\nexcept* ValueError:\n'
                         '    check("except*")\n', '<group>', 'exec'), {'check': check})
        if sys.version_info >= (3, 12):
            exec(compile('type A[T] = check("type alias") or T\nA.__value__\n'
                         'def f[T: check("bound")](x: T): check("type parameters")\nf(1)\nf.__type_params__[0].__bound__\n',
                         '<types>', 'exec'), {'check': check})
