# SPDX-License-Identifier: MIT
"""Calls the control API by ctypes and checks what it answers; prints what does not hold, then `done`."""
import ctypes
import errno
import gc
import os
import sys

gc.disable()
api = ctypes.CDLL(None)
folder = sys.argv[1]
python2 = sys.version_info[0] == 2
api.tracemalloc_start.argtypes = [ctypes.c_uint]
api.tracemalloc_is_tracing.restype = ctypes.c_bool
api.tracemalloc_get_tracemalloc_memory.restype = ctypes.c_size_t
api.tracemalloc_version.restype = ctypes.c_char_p
api.tracemalloc_take_snapshot.argtypes = [ctypes.c_char_p]


class Frame(ctypes.Structure):
    _fields_ = [("filename", ctypes.c_char_p), ("function", ctypes.c_char_p), ("lineno", ctypes.c_uint)]


api.tracemalloc_get_object_traceback.argtypes = [ctypes.c_void_p, ctypes.POINTER(Frame), ctypes.c_uint,
                                                 ctypes.POINTER(ctypes.c_uint)]


def that(holds, what, *detail):
    if not holds:
        print("does not hold: %s %r" % (what, detail))


def memory():
    current, peak = ctypes.c_size_t(), ctypes.c_size_t()
    api.tracemalloc_get_traced_memory(ctypes.byref(current), ctypes.byref(peak))
    return current.value, peak.value


def snapshot(name):
    return api.tracemalloc_take_snapshot(os.path.join(folder, name).encode())


def text(size, index=0):
    return ("%010d" % index) * (size // 10)


def traceback(thing):
    frames, total = (Frame * 10)(), ctypes.c_uint(99)
    status = api.tracemalloc_get_object_traceback(id(thing), frames, 10, ctypes.byref(total))
    return status, total.value, [(os.path.basename(frame.filename.decode()), frame.function.decode(), frame.lineno)
                                 for frame in frames[:min(total.value, 10)]] if status == 0 else []


def line():
    return sys._getframe(1).f_lineno


def outer():
    return inner()


def inner():
    return text(2000, 1), line() - 1 + 1


that(api.tracemalloc_is_tracing(), "traces from the start")
that(api.tracemalloc_get_traceback_limit() == 1, "limit 1")
that(api.tracemalloc_version().count(b".") == 2, "version", api.tracemalloc_version())
that(0 < api.tracemalloc_get_tracemalloc_memory() < 1 << 31, "own memory", api.tracemalloc_get_tracemalloc_memory())
current, peak = memory()
that(10000 < current <= peak, "traced memory", current, peak)

# Start while tracing changes nothing; wrong limits.
that(api.tracemalloc_start(7) == 0 and api.tracemalloc_get_traceback_limit() == 1, "start while tracing changes nothing")
api.tracemalloc_stop()
that(not api.tracemalloc_is_tracing(), "stopped")
that(memory() == (0, 0), "no traced memory when stopped", memory())
that(api.tracemalloc_start(0) == errno.EINVAL and api.tracemalloc_start(65536) == errno.EINVAL, "wrong limits")
that(not api.tracemalloc_is_tracing(), "a wrong limit starts nothing")
that(snapshot("none.tms") == errno.ENODATA, "snapshot when stopped")
that(traceback("x")[0] == errno.ENODATA, "traceback when stopped")

# Ghosts: blocks of before stop that are freed after it, and while tracing again.
that(api.tracemalloc_start(3) == 0 and api.tracemalloc_get_traceback_limit() == 3, "start with 3")
early = [text(1000, index) for index in range(2000)]
api.tracemalloc_stop()
late = early[1000:]
del early
api.tracemalloc_start(3)
start = memory()[0]
that(start < 50000, "nothing of before is counted", start)
del late
that(0 <= memory()[0] < 50000, "frees of older blocks count nothing", memory())
fresh = [text(1000, index) for index in range(1000)]
that(1000 * 1000 < memory()[0] < 1200 * 1000, "what is new is counted", memory())
that(snapshot("restarted.tms") == 0, "snapshot")

# Peak.
current, peak = memory()
high = [text(1000, index) for index in range(2000)]
top = memory()[1]
that(top >= current + 2000 * 1000, "peak grew", top, current)
del high
that(memory()[1] >= top, "peak stays")
api.tracemalloc_reset_peak()
current, peak = memory()
that(peak - current < 10000, "reset_peak", current, peak)

# Clear.
api.tracemalloc_clear_traces()
that(memory()[0] < 50000 and api.tracemalloc_is_tracing(), "clear_traces forgets and goes on", memory())
that(traceback(fresh[5])[0] == errno.ENOENT, "a forgotten block", traceback(fresh[5]))
del fresh
that(memory()[0] < 50000, "frees of forgotten blocks count nothing", memory())

# Tracebacks of objects.
thing, number = outer(); here = line()
status, total, frames = traceback(thing)
that(status == 0 and total == 3, "traceback of an object", status, total)
that([frame[2] for frame in frames] == [here, outer.__code__.co_firstlineno + 1, inner.__code__.co_firstlineno + 1]
     or frames[-1][1] == "text", "its lines, oldest first", frames, here)
that(frames[-1][0] == "control_calls.py", "its file", frames)
few, total = (Frame * 1)(), ctypes.c_uint()
status = api.tracemalloc_get_object_traceback(id(thing) + 500, few, 1, ctypes.byref(total))
that(status == 0 and total.value == 3 and few[0].lineno == frames[-1][2], "an address inside, the most recent frame",
     status, total.value, few[0].lineno)
local = ctypes.c_int()
that(api.tracemalloc_get_object_traceback(ctypes.addressof(api.tracemalloc_start), few, 1, ctypes.byref(total)) in
     (0, errno.ENOENT), "any address is allowed")
that(api.tracemalloc_get_object_traceback(None, few, 1, ctypes.byref(total)) == errno.ENOENT, "NULL")
that(api.tracemalloc_get_object_traceback(id(thing), None, 5, None) == 0, "only asked whether it is known")
api.tracemalloc_get_traced_memory(None, None)

# Snapshots.
that(snapshot("no/such/folder.tms") == errno.ENOENT, "snapshot into a folder that is not there", snapshot("no/such/folder.tms"))
that(api.tracemalloc_take_snapshot(None) == errno.EINVAL, "snapshot to NULL")
that(api.tracemalloc_take_snapshot(b"") == errno.ENOENT, "snapshot to a path of no letters")
that(api.tracemalloc_take_snapshot(b"x" * 5000) == errno.ENAMETOOLONG, "snapshot to a path too long")
that(api.tracemalloc_take_snapshot(folder.encode()) == errno.EISDIR, "snapshot over a folder")
with_blocks = api.tracemalloc_take_snapshot_with_blocks
with_blocks.argtypes = [ctypes.c_char_p]
that(with_blocks(None) == errno.EINVAL, "blocks to NULL")
that(with_blocks(b"") == errno.ENOENT, "blocks to a path of no letters")
that(with_blocks(b"x" * 5000) == errno.ENAMETOOLONG, "blocks to a path too long")
that(with_blocks(folder.encode()) == errno.EISDIR, "blocks over a folder")
that(with_blocks(os.path.join(folder, "no", "folder.tms").encode()) == errno.ENOENT, "blocks into a folder that is not there")
that(snapshot("twice.tms") == 0 and snapshot("twice.tms") == 0, "a snapshot replaces")
for turn in range(20):
    api.tracemalloc_stop()
    api.tracemalloc_start(1 + turn)
that(api.tracemalloc_get_traceback_limit() == 20, "stop and start again and again")
kept = [text(1000, index) for index in range(1000)]
that(snapshot("last.tms") == 0, "last snapshot")
print("done")
