# SPDX-License-Identifier: MIT
"""libtracemalloc from inside a script or a notebook: the functions of Python's tracemalloc module, by ctypes, nothing to build.

    import tm
    tm.get_traced_memory()

    with tm.diff():                 # what did this block leave behind?
        table = load()

The program must run with the library preloaded (tm-run app.py, or the kernelspec beside this file for notebooks); without
it each call raises `libtracemalloc is not preloaded`.  Copy this file into your project; Python 2.7 and 3.6 or newer.
"""
from __future__ import print_function

import ctypes
import errno
import os
import shutil
import subprocess
import sys
import tempfile


class NotPreloaded(RuntimeError):
    """The library is not in this process."""


class _Frame(ctypes.Structure):
    _fields_ = [("filename", ctypes.c_char_p), ("function", ctypes.c_char_p), ("lineno", ctypes.c_uint)]


_SIZES = [ctypes.POINTER(ctypes.c_size_t)] * 2
_FUNCTIONS = {  # name: (type of the result, types of the arguments), as in tracemalloc/tracemalloc.h
    "start": (ctypes.c_int, [ctypes.c_uint]),
    "stop": (None, []),
    "is_tracing": (ctypes.c_bool, []),
    "get_traceback_limit": (ctypes.c_uint, []),
    "clear_traces": (None, []),
    "get_traced_memory": (None, _SIZES),
    "reset_peak": (None, []),
    "get_tracemalloc_memory": (ctypes.c_size_t, []),
    "take_snapshot": (ctypes.c_int, [ctypes.c_char_p]),
    "take_snapshot_with_blocks": (ctypes.c_int, [ctypes.c_char_p]),
    "get_object_traceback": (ctypes.c_int, [ctypes.c_void_p, ctypes.POINTER(_Frame), ctypes.c_uint,
                                            ctypes.POINTER(ctypes.c_uint)]),
    "version": (ctypes.c_char_p, []),
}
# While another thread allocates, what begins anew must not: these hold the GIL.
_HOLDING = ("start", "stop", "clear_traces", "reset_peak")
_known = {}


def _call(name, *arguments):
    if name not in _known:
        try:
            library = ctypes.PyDLL(None) if name in _HOLDING else ctypes.CDLL(None)
            function = getattr(library, "tracemalloc_" + name)
        except AttributeError:
            raise NotPreloaded("libtracemalloc is not preloaded: start Python by `tm-run python3 ...`")
        function.restype, function.argtypes = _FUNCTIONS[name]
        _known[name] = function
    return _known[name](*arguments)


def is_preloaded():
    return hasattr(ctypes.CDLL(None), "tracemalloc_start")


def start(nframe=1):
    """Begins to trace; nothing changes when tracing is on already."""
    if not 1 <= nframe <= 65535:
        raise ValueError("the number of frames must be in range [1; 65535]")
    status = _call("start", nframe)
    if status:
        raise MemoryError() if status == errno.ENOMEM else OSError(status, os.strerror(status))


def stop():
    _call("stop")


def is_tracing():
    return _call("is_tracing")


def get_traceback_limit():
    return _call("get_traceback_limit")


def clear_traces():
    _call("clear_traces")


def get_traced_memory():
    """(bytes now, bytes at the peak) in CPython's own domains."""
    current, peak = ctypes.c_size_t(), ctypes.c_size_t()
    _call("get_traced_memory", ctypes.byref(current), ctypes.byref(peak))
    return current.value, peak.value


def reset_peak():
    _call("reset_peak")


def get_tracemalloc_memory():
    """Bytes that the tracer itself uses."""
    return _call("get_tracemalloc_memory")


def version():
    return _call("version").decode()


def take_snapshot(path, blocks=False):
    """Writes a snapshot to PATH, for tm-report; with BLOCKS=True every live block by itself too, for tm-report blocks."""
    raw = path if isinstance(path, bytes) else path.encode(sys.getfilesystemencoding(), *_ESCAPE)
    status = _call("take_snapshot_with_blocks" if blocks else "take_snapshot", raw)
    if status == errno.ENODATA:
        raise RuntimeError("the tracemalloc module must be tracing memory allocations to take a snapshot")
    if status:
        raise OSError(status, os.strerror(status), path)


_ESCAPE = ("surrogateescape",) if sys.version_info >= (3,) else ()


def _text(raw):
    return raw.decode("utf-8", *_ESCAPE)


def get_object_traceback(thing, limit=65535):
    """Where THING was allocated: [(filename, lineno, function), ...], oldest first; None when that is not known."""
    total = ctypes.c_uint()
    if _call("get_object_traceback", id(thing), None, 0, ctypes.byref(total)):
        return None
    frames = (_Frame * min(total.value, limit))()
    if _call("get_object_traceback", id(thing), frames, len(frames), ctypes.byref(total)):
        return None
    return [(_text(frame.filename), frame.lineno, _text(frame.function)) for frame in frames]


class diff(object):
    """What grew in a block of code: `with tm.diff(): ...` prints tm-report's difference of two snapshots at its end.

    LIMIT is the number of rows; OPTIONS are further ones of tm-report.  With REPORT=False nothing is printed.
    `grown` and `peak` (bytes over what was live at the beginning) and `text` stay in the object.
    """

    def __init__(self, limit=10, options=(), report=True):
        self.limit, self.options, self.report = limit, list(options), report
        self.grown = self.peak = 0
        self.text = ""

    def __enter__(self):
        self._folder = tempfile.mkdtemp(prefix="tm-diff-")
        try:
            take_snapshot(self._path("before.tms"))
        except Exception:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        reset_peak()
        self._before = get_traced_memory()[0]
        return self

    def __exit__(self, *_):
        current, peak = get_traced_memory()
        self.grown, self.peak = current - self._before, peak - self._before
        try:
            take_snapshot(self._path("after.tms"))
            if self.report:
                self.text = self._ask()
                print(self.text, end="")
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, name):
        return os.path.join(self._folder, name)

    def _ask(self):
        # tm-report itself is not to be traced, whatever environment the program has.
        plain = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
        command = ["tm-report", "--limit", str(self.limit)] + self.options
        try:
            process = subprocess.Popen(command + [self._path("before.tms"), self._path("after.tms")], env=plain,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except OSError as error:
            return "tm-report: %s; put it into PATH\n" % error.strerror
        return process.communicate()[0].decode("utf-8", "replace")
