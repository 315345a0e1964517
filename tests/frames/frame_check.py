# SPDX-License-Identifier: MIT
"""What the frame reader sees, compared with sys._getframe at the same instant.  Python 2.7 and 3."""
import ctypes
import sys

PY2 = sys.version_info[0] == 2
HOLDS, MAIN, TOP_DIFFERS, ERRNO_CHANGED = 1, 2, 4, 8


class Probe(object):
    def __init__(self, path):
        self.with_gil = ctypes.PyDLL(path)
        self.without_gil = ctypes.CDLL(path)
        for library in (self.with_gil, self.without_gil):
            library.probe_describe.restype = ctypes.c_char_p
            library.probe_stack.restype = ctypes.c_long
            library.probe_stack.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_int, ctypes.c_int,
                                            ctypes.POINTER(ctypes.c_int)]
            library.probe_time.restype = ctypes.c_double
            library.probe_block.restype = ctypes.c_size_t
            library.probe_block.argtypes = [ctypes.c_size_t]
        self.describe()
        self.size = 1 << 22
        self.buffer = ctypes.create_string_buffer(self.size)
        self.stacks = 0
        self.frames = 0
        self.faults = []

    def fault(self, label, text):
        self.faults.append('%s: %s' % (label, text))

    def check(self, label, limit=100000, main=True):
        """Compares three times: held getter, own getter with the GIL, own getter without the GIL."""
        flags = ctypes.c_int()
        buf, size, ref = self.buffer, self.size, ctypes.byref(flags)
        held, own, free = self.with_gil.probe_stack, self.with_gil.probe_stack, self.without_gil.probe_stack
        n = held(buf, size, limit, 1, ref); f = sys._getframe(); line = f.f_lineno
        self._compare(label + ' [held]', n, f, line, flags.value, limit, HOLDS | (MAIN if main else 0))
        n = own(buf, size, limit, 0, ref); f = sys._getframe(); line = f.f_lineno
        self._compare(label + ' [own]', n, f, line, flags.value, limit, HOLDS | (MAIN if main else 0))
        n = free(buf, size, limit, 0, ref); f = sys._getframe(); line = f.f_lineno
        if PY2:  # the state is not known without the GIL
            if n != 0 or flags.value != 0:
                self.fault(label, 'without the GIL: %d bytes, flags %d' % (n, flags.value))
            return
        self._compare(label + ' [free]', n, f, line, flags.value, limit, MAIN if main else 0)

    def _compare(self, label, written, frame, line, flags, limit, wanted_flags):
        if self.free_threaded:
            wanted_flags &= ~MAIN
        if written < 0:
            return self.fault(label, 'frames are refused: %s' % self.describe())
        if flags != wanted_flags:
            self.fault(label, 'flags are %d, not %d' % (flags, wanted_flags))
        seen = [tuple(row.split(b'\1')) for row in self.buffer[:written].split(b'\n')[:-1]]
        wanted = []
        while frame is not None and len(wanted) < limit:
            wanted.append(expected(frame, line))
            frame = frame.f_back
            line = frame and frame.f_lineno
        self.stacks += 1
        self.frames += len(wanted)
        if seen != wanted:
            self.fault(label, difference(seen, wanted))

    def describe(self):
        return self.with_gil.probe_describe().decode('ascii')

    @property
    def free_threaded(self):
        return self.describe().split()[1] == '1'


def to_bytes(text):
    """UTF-8; surrogate escapes as the byte they stand for, other lone surrogates as three bytes."""
    if isinstance(text, bytes):
        return text
    out = []
    for c in text:
        n = ord(c)
        if 0xDC80 <= n <= 0xDCFF:
            out.append(bytes(bytearray([n - 0xDC00])))
        elif 0xD800 <= n <= 0xDFFF:
            out.append(c.encode('utf-8', 'surrogatepass'))
        else:
            out.append(c.encode('utf-8'))
    return b''.join(out)


def expected(frame, line):
    code = frame.f_code
    name = getattr(code, 'co_qualname', code.co_name)
    return (to_bytes(code.co_filename), ('%d' % max(line or 0, 0)).encode('ascii'), to_bytes(name))


def difference(seen, wanted):
    if len(seen) != len(wanted):
        return 'seen %d frames, wanted %d; first seen %r, first wanted %r' % (
            len(seen), len(wanted), seen[:3], wanted[:3])
    for i, (a, b) in enumerate(zip(seen, wanted)):
        if a != b:
            return 'frame %d of %d: seen %r, wanted %r' % (i, len(seen), a, b)
    return 'the same'
