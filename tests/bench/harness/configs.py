# SPDX-License-Identifier: MIT
"""The ways of running a program that are compared.

none                      the program alone
us<limit>[:NAME=value]..  our library, TRACEMALLOC_NFRAME=<limit>; each NAME=value sets TRACEMALLOC_<NAME>
stdlib<limit>             python -X tracemalloc=<limit>
heaptrack, heaptrack-malloc (with PYTHONMALLOC=malloc, without which it sees no small block)
memray, memray-native, memray-allocators (--trace-python-allocators), memray-aggregate (that and --aggregate)
"""
import os
import re
import shutil
import subprocess

NAMES = __doc__.partition("\n\n")[2]

_MEMRAY = {
    "memray": [],
    "memray-native": ["--native"],
    "memray-allocators": ["--trace-python-allocators"],
    "memray-aggregate": ["--aggregate", "--trace-python-allocators"],
}
_HEAPTRACK = {"heaptrack": {}, "heaptrack-malloc": {"PYTHONMALLOC": "malloc"}}
_FOREIGN = re.compile("^(TRACEMALLOC_|PYTHONTRACEMALLOC$|PYTHONMALLOC$|PYTHONDEVMODE$|PYTHONSTARTUP$|LD_PRELOAD$)")


def clean_environment():
    """This process's environment without what would trace or change the allocators, and with a fixed hash seed."""
    environment = {name: value for name, value in os.environ.items() if not _FOREIGN.match(name)}
    environment["PYTHONHASHSEED"] = "0"
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    return environment


class Config:
    """One way of running: what to set, what to write before and after the interpreter's name."""

    def __init__(self, name, kind, environment=None, before=(), flags=()):
        self.name = name
        self.kind = kind
        self.environment = environment or {}
        self.before = list(before)
        self.flags = list(flags)

    def command(self, python, arguments):
        return self.before + [python] + self.flags + list(arguments)

    def environment_for_run(self):
        environment = clean_environment()
        environment.update(self.environment)
        return environment

    def report_command(self, python):
        """What makes a report of the capture that a run left in its folder, or None."""
        if self.kind == "memray":
            return [python, "-m", "memray", "flamegraph", "--force", "-o", "report.html", "capture.bin"]
        if self.kind == "heaptrack":
            # The name's end is the release's choice of compression.
            return ["sh", "-c", "exec heaptrack_print -f capture.*"]
        return None

    def fault(self, reading):
        """Why a run does not count, or None.  A tracer that did not trace must not win."""
        if reading.status != 0:
            return "exit code %d: %s" % (reading.status, last_line(reading.said))
        if self.kind == "us":
            if "cannot be preloaded" in reading.said or "not tracing" in reading.said:
                return last_line(reading.said)
            if not any(name.endswith(".tms") for name in reading.files):
                return "left no snapshot"
        elif self.kind in ("heaptrack", "memray") and reading.disk_bytes == 0:
            return "left no capture"
        return None

    def unusable_with(self, interpreter):
        """Why this interpreter cannot run so, or None."""
        if self.kind == "stdlib" and interpreter.version < (3, 4):
            return "the interpreter has no tracemalloc module"
        if self.kind == "memray" and not interpreter.can_import("memray"):
            return "memray is not importable"
        if self.kind == "heaptrack" and not shutil.which("heaptrack"):
            return "heaptrack is not on PATH"
        return None


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "(said nothing)"


def _ours(name, limit, options, library):
    if library is None:
        raise ValueError("%s needs --library" % name)
    environment = {"LD_PRELOAD": library, "TRACEMALLOC_NFRAME": limit}
    for option in options.split(":")[1:]:
        key, equals, value = option.partition("=")
        if not equals:
            raise ValueError("%s: '%s' is not NAME=value" % (name, option))
        environment["TRACEMALLOC_" + key.upper()] = value
    return Config(name, "us", environment)


def _heaptrack_flags():
    """Newer releases open their viewer at the end unless told not to; older ones do not know the word."""
    try:
        known = subprocess.check_output(["heaptrack", "--help"], stderr=subprocess.STDOUT).decode("utf-8", "replace")
    except (OSError, subprocess.CalledProcessError):
        return []
    return ["--record-only"] if "--record-only" in known else []


def parse(name, library):
    """The Config called name; ValueError when there is none."""
    ours = re.match(r"us(\d+)((?::[^:]+)*)$", name)
    if ours:
        return _ours(name, ours.group(1), ours.group(2), library)
    stdlib = re.match(r"stdlib(\d+)$", name)
    if stdlib:
        return Config(name, "stdlib", flags=["-X", "tracemalloc=" + stdlib.group(1)])
    if name == "none":
        return Config(name, "none")
    if name in _HEAPTRACK:
        before = ["heaptrack"] + _heaptrack_flags() + ["-o", "capture"]
        return Config(name, "heaptrack", _HEAPTRACK[name], before=before)
    if name in _MEMRAY:
        flags = ["-m", "memray", "run", "-q", "-o", "capture.bin"] + _MEMRAY[name]
        return Config(name, "memray", flags=flags)
    raise ValueError("no configuration is called '%s'" % name)
