# SPDX-License-Identifier: MIT
"""Stacks of every kind, each compared with sys._getframe.  Usage: frame_cases.py PROBE.so; exit code 1 on a fault."""
import ctypes
import functools
import os
import signal
import sys
import threading
import weakref

from frame_check import Probe, PY2

VERSION = sys.version_info[:2]
probe = Probe(sys.argv[1])
check = probe.check
cases = []


def case(function):
    cases.append(function)
    return function


@case
def plain():
    check('function')
    (lambda: check('lambda'))()

    def nested():
        class Local(object):
            check('class body')

            def method(self):
                check('method')

            @property
            def attribute(self):
                check('property')

            @staticmethod
            def static():
                check('static method')

            @classmethod
            def made(cls):
                check('class method')

            def __getattr__(self, name):
                check('__getattr__')

            def __enter__(self):
                check('__enter__')

            def __exit__(self, *info):
                check('__exit__')

            def __lt__(self, other):
                check('__lt__')
                return False

            def __len__(self):
                check('__len__')
                return 0
        instance = Local()
        instance.method()
        instance.attribute
        instance.static()
        instance.made()
        instance.missing
        with instance:
            check('with')
        sorted([Local(), Local()])
        len(instance)
    nested()


@case
def comprehensions():
    [check('list comprehension') for _ in range(2)]
    {check('set comprehension') for _ in range(2)}
    {check('dict comprehension'): i for i in range(2)}
    list(check('generator expression') for _ in range(2))
    [[check('nested comprehension') for _ in range(1)] for _ in range(2)]
    [i for i in range(3)
     if check('condition') or
     True]


@case
def generators():
    def numbers():
        check('generator, first')
        yield 1
        check('generator, resumed')
        try:
            yield 2
        finally:
            check('generator, closed')

    def thrower():
        try:
            yield
        except ValueError:
            check('generator, thrown into')
            yield

    def deep(n):
        if n == 0:
            check('generators in generators')
            yield n
            return
        for value in deep(n - 1):
            yield value
    for _ in numbers():
        check('loop over a generator')
    half_run = numbers()
    next(half_run)
    half_run.close()
    t = thrower()
    next(t)
    t.throw(ValueError())
    list(deep(100))
    for _ in zip(numbers(), numbers()):
        pass
    next(iter(numbers()))


@case
def callbacks():
    sorted([2, 1], key=lambda x: check('key of sorted') or x)
    list(map(lambda x: check('map'), [1, 2]))
    list(filter(lambda x: check('filter'), [1, 2]))
    functools.reduce(lambda a, b: check('reduce'), [1, 2, 3])
    functools.partial(check, 'partial')()
    max([1, 2], key=lambda x: check('key of max') or 1)
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)

    def compare(a, b, depth=[0]):
        check('callback through C, depth %d' % depth[0])
        if depth[0] < 3:
            depth[0] += 1
            probe.without_gil.probe_callback(kind(compare))
            check('after a callback')
        return 0
    probe.without_gil.probe_callback(kind(compare))
    probe.with_gil.probe_callback(kind(compare))

    class Noisy(object):
        def __del__(self):
            check('__del__')
    Noisy()
    target = Noisy()
    r = weakref.ref(target, lambda ref: check('weak reference'))
    del target
    str(type('Named', (object,), {'__repr__': lambda self: check('__repr__') or 'x'})())
    __import__('gc').collect()
    del r


@case
def source_text():
    for name in ('<string>', '/no/such/file.py', 'a' * 3000):
        exec(compile('check("exec")\ndef f():\n    check("exec, function")\n\nf()\n', name, 'exec'),
             {'check': check})
    eval(compile('check("eval")', '<eval>', 'eval'), {'check': check})
    eval('[check("eval, comprehension") for _ in (1,)]', {'check': check})


@case
def names_in_any_encoding():
    if PY2:
        names = ['\xc3\xa9.py', '\xff\xfe.py']
    else:
        # latin-1, UCS2, UCS4, undecodable bytes, other lone surrogates
        names = [u'd\xe9j\xe0.py', u'\u65e5\u672c.py', u'\U0001f40d.py', u'x\udcff\udc80y.py', u'\ud800\udfff.py',
                 u'\xe9\udcff\U0001f40d.py', u'']
    source = 'check("named file")\ndef function(): check("named")\nfunction()\n'
    for name in names:
        code = compile('check("x")', 'x', 'exec')
        if hasattr(code, 'replace'):
            exec(code.replace(co_filename=name), {'check': check})
        try:
            exec(compile(source, name, 'exec'), {'check': check})
        except (UnicodeEncodeError, ValueError):
            pass
    if not PY2:
        exec(compile(u'def \xe9t\xe9(): check("latin-1")\ndef \u65e5(): check("UCS2")\n'
                     u'class \U00020000:\n  def m(self): check("UCS4")\n'
                     u'\xe9t\xe9()\n\u65e5()\n\U00020000().m()\n', 'n.py', 'exec'), {'check': check})

        class Text(str):
            pass
        code = compile('check("name of a subclass of str")', 'x', 'exec')
        if hasattr(code, 'replace'):
            exec(code.replace(co_filename=Text(u'sub\u65e5.py'), co_name=Text('sub')), {'check': check})


def far_apart(gap, back):
    lines = ['def f():', '    check("before")'] + [''] * gap + ['    check("after a gap of %d")' % gap]
    lines += ['    (check("first"),'] + [''] * back + ['     check("second"),', '     [check("third")', '      for i in'
              ' range(2)])', '    for i in range(3):'] + [''] * gap + ['        check("loop")', '    check("end")', 'f()']
    return '\n'.join(lines) + '\n'


@case
def lines_far_apart():
    for gap in (0, 1, 126, 127, 128, 129, 254, 255, 256, 257, 1000, 70000):
        exec(compile(far_apart(gap, gap // 2), 'gap.py', 'exec'), {'check': check})
    exec(compile('x = {1:\n   a,\n   2:\n  check("back"),\n 3: 4}\nf(\n check("b2"),\n [a\n  for i in range(2)\n   '
                 'if check("b3") is None],\n a)\ncheck("x") or (check("y"),\n\n check("z"))\n@f\n\ndef g(x=check("w")): 1\n',
                 'back.py', 'exec'), {'check': check, 'a': 1, 'f': lambda *x: check('called over lines')})
    exec(compile('\n' * 100000 + 'check("far down")\n', 'far.py', 'exec'), {'check': check})
    wide = 'x = [' + ','.join('a' for _ in range(3000)) + ']\ncheck("after a long line")\n'
    exec(compile(wide, 'wide.py', 'exec'), {'check': check, 'a': 1})
    many = ''.join('if not x:\n    y = %d\n' % i for i in range(3000)) + 'check("after much code")\n'
    exec(compile(many, 'many.py', 'exec'), {'check': check, 'x': 1})


@case
def code_replaced():
    def f():
        return check('replaced')
    if hasattr(f.__code__, 'replace'):
        for first in (1, 5, 1000000):
            f.__code__ = f.__code__.replace(co_firstlineno=first, co_filename='r%d.py' % first)
            f()
        if hasattr(f.__code__, 'co_linetable'):
            f.__code__ = f.__code__.replace(co_linetable=b'')
            f()
            # Tables that no compiler makes.  A debug build asserts that there are none; 3.10 reads beyond an odd end.
            tables = (b'\x00', b'\xff', b'\x80', b'\xf0\xff\xff', b'\xea', b'\x04\x80' * 60, b'\xff' * 60)
            for table in () if hasattr(sys, 'gettotalrefcount') else tables:
                if len(table) % 2 == 0 or VERSION >= (3, 11):
                    f.__code__ = f.__code__.replace(co_linetable=table)
                    f()
            # No location at all: None.
            table = b'\xff' * 60 if VERSION >= (3, 11) else b'\xff\x80'
            f.__code__ = f.__code__.replace(co_linetable=table)
            f()
        elif VERSION < (3, 10):
            for table in (b'', b'\x00', b'\x01\xff\x00\x7f', b'\x00\x80\x02\x05'):
                f.__code__ = f.__code__.replace(co_lnotab=table)
                f()


@case
def recursion():
    sys.setrecursionlimit(10000)

    def down(n):
        if n == 0:
            return check('1500 deep')
        return down(n - 1)

    def down_through_c(n):
        if n == 0:
            return check('100 deep through C')
        return list(map(lambda x: down_through_c(x), [n - 1]))

    def limited(n, limit):
        if n == 0:
            return check('limit %d' % limit, limit)
        return limited(n - 1, limit)
    down(1500)
    down_through_c(100)
    for limit in (1, 2, 3, 5, 25, 30, 31, 60):
        limited(30, limit)


@case
def exceptions():
    try:
        raise ValueError
    except ValueError:
        check('except')
    finally:
        check('finally')

    def fails():
        try:
            1 / 0
        finally:
            check('finally on the way out')
    try:
        fails()
    except ZeroDivisionError:
        check('after a traceback')


@case
def threads():
    def work(name):
        def inner():
            check_alone('thread ' + name)
        for _ in range(20):
            inner()
    lock = threading.Lock()

    def check_alone(label):
        with lock:
            check(label)
    started = [threading.Thread(target=work, args=(str(i),)) for i in range(4)]
    for t in started:
        t.start()
    for t in started:
        t.join()
    for library in (probe.with_gil, probe.without_gil):
        answer = library.probe_foreign()
        if answer != 0:
            probe.fault('thread that Python does not know', 'answer %d' % answer)


@case
def signals():
    def handler(number, frame):
        check('signal handler')
    old = signal.signal(signal.SIGUSR1, handler)
    os.kill(os.getpid(), signal.SIGUSR1)
    for _ in range(100):
        pass
    signal.signal(signal.SIGUSR1, old)


def some_lines(label):
    check(label)
    for i in range(2):
        check(label + ', loop')
    [check(label + ', comprehension')
     for i in range(2)]
    g = (check(label + ', generator') for i in range(2))
    list(g)
    return check(
        label +
        ', call over lines')


@case
def tracing():
    seen = []

    def tracer(frame, event, arg):
        if frame.f_code.co_filename == __file__ and frame.f_code is not tracer.__code__:
            seen.append(event)
            if len(seen) % 7 == 0:
                check('in a trace function, ' + event)
        return tracer

    def profiler(frame, event, arg):
        if frame.f_code.co_name == 'some_lines':
            sys.setprofile(None)
            check('in a profile function, ' + event)
            sys.setprofile(profiler)
    sys.settrace(tracer)
    some_lines('traced')
    sys.settrace(None)
    sys.setprofile(profiler)
    some_lines('profiled')
    sys.setprofile(None)
    if not seen:
        probe.fault('tracing', 'no event')
    # A trace function in one frame only, without sys.settrace.
    sys._getframe().f_trace = tracer
    check('f_trace is set')
    check('f_trace is set, another line')
    del sys._getframe().f_trace
    check('f_trace is gone')

    def jumps():
        check('before a jump')
        check('jumped over')
        check('after a jump')

    def jumper(frame, event, arg):
        if frame.f_code is jumps.__code__:
            first = jumps.__code__.co_firstlineno
            if event == 'line' and frame.f_lineno == first + 2:
                frame.f_lineno = first + 3
            return jumper
    sys.settrace(jumper)
    jumps()
    sys.settrace(None)


@case
def imported():
    import shutil
    import tempfile
    folder = tempfile.mkdtemp()
    try:
        with open(os.path.join(folder, 'frame_case_module.py'), 'w') as f:
            f.write('from __main__ import check\n\ncheck("import")\nclass A:\n    check("import, class")\n')
        sys.path.insert(0, folder)
        import frame_case_module  # noqa: F401
        sys.path.pop(0)
    finally:
        shutil.rmtree(folder)


@case
def blocks_of_objects():
    """The block that the allocator gave for an object, as the standard tracemalloc knows it by address."""
    get = getattr(ctypes.pythonapi, '_PyTraceMalloc_GetTraceback', None)
    if get is None:
        return
    import tracemalloc
    get.restype = ctypes.py_object
    get.argtypes = [ctypes.c_uint, ctypes.c_size_t]

    class Slots(object):
        __slots__ = ('a',)

    class Weak(object):
        __slots__ = ('a', '__weakref__')

    def generator():
        yield
    tracemalloc.start()
    try:
        one = len(sys.argv) - 1
        # So many of a kind that the last does not come from a free list.
        makers = [lambda: [one], lambda: {one: 2}, lambda: (one, [one]), lambda: 1.5 * one, lambda: 10 ** 30 + one,
                  lambda: iter([one]), lambda: set([one]), lambda: '%d' % 10 ** 30, object, Slots, Weak,
                  lambda: (lambda: one), lambda: type('T', (), {}), lambda: type('T', (), {})(), generator,
                  lambda: ValueError('x'), lambda: bytearray(5), lambda: type('L', (list,), {})([1]),
                  lambda: type('S', (str,), {})('x'), lambda: check.__func__.__get__(probe)]
        values = [[make() for _ in range(2500)][-1] for make in makers]
        for value in values:
            if get(0, probe.with_gil.probe_block(id(value))) is None:
                probe.fault('block of %r' % type(value), 'not known to tracemalloc at %d before it' % (
                    id(value) - probe.with_gil.probe_block(id(value))))
    finally:
        tracemalloc.stop()


@case
def in_the_prologue_of_a_function():
    """A collection may begin while a function makes its cells: 3.11 then has a frame that does not count yet."""
    import gc
    if not hasattr(gc, 'callbacks'):
        return
    running = []

    def callback(phase, info):
        if not running:
            running.append(1)
            check('collection, ' + phase)
            running.pop()

    def with_cells(a, b, c, d):
        def inner():
            return a, b, c, d, e
        e = [inner]
        return e

    def generator_with_cells(a, b):
        def inner():
            return a, b
        yield inner
    old = gc.get_threshold()
    gc.callbacks.append(callback)
    gc.set_threshold(1)
    try:
        for _ in range(20):
            with_cells([], [], [], [])
            list(generator_with_cells([], []))
            [(lambda: x) for x in range(3)]
    finally:
        gc.set_threshold(*old)
        gc.callbacks.remove(callback)


@case
def with_greenlets():
    try:
        import greenlet
    except ImportError:
        print('  greenlet is not installed: left out')
        return

    def inner():
        check('in a greenlet')
        main.switch()
        check('in a greenlet, again')

    def outer():
        g = greenlet.greenlet(inner)
        g.switch()
        check('between greenlets')
        g.switch()
    main = greenlet.getcurrent()
    outer()


def main_function():
    if VERSION >= (3, 6):
        import frame_cases3
        frame_cases3.add(case, probe)
    for function in cases:
        function()
        if probe.stacks == 0:
            probe.fault('all', 'nothing was compared')
            break
    print('%s: %d stacks, %d frames, %d faults (%s)' % (
        '.'.join(map(str, sys.version_info[:3])), probe.stacks, probe.frames, len(probe.faults), probe.describe()))
    for fault in probe.faults[:20]:
        print('  ' + fault)
    return 1 if probe.faults else 0


if __name__ == '__main__':
    check('module')
    sys.stdout.flush()
    code = main_function()
    sys.stdout.flush()
    sys.exit(code)
