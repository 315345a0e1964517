# SPDX-License-Identifier: MIT
"""Instruction counts: they repeat where times do not.  perf counts at full speed; callgrind works where perf cannot."""
import re
import shutil

from . import measure
from .configs import clean_environment

STARTUP = "start-up"
_COUNTABLE = ("none", "us", "stdlib")
_PERF = ["perf", "stat", "-x,", "-e", "instructions:u", "--"]
_CALLGRIND = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
_PERF_SAID = re.compile(r"^(\d+),[^,]*,instructions:u", re.MULTILINE)
_CALLGRIND_SAID = re.compile(r"Collected : (\d+)")


class Counter:
    """A way of counting: its name, what to write before a command, which size of workload it can bear."""

    def __init__(self, name, before, said, size):
        self.name = name
        self.size = size
        self._before = before
        self._said = said

    def count(self, command, variables, limit_s):
        """(instructions, Reading); instructions is None when nothing was counted.

        Behind perf, env sets the variables, so that perf (which links libpython) is not traced itself.  valgrind runs
        its program in its own process and keeps LD_PRELOAD for it, so there they are set at once.
        """
        environment = clean_environment()
        if self.name == "perf":
            command = ["env"] + ["%s=%s" % pair for pair in sorted(variables.items())] + command
        else:
            environment.update(variables)
        reading = measure.run(self._before + command, environment, limit_s)
        found = self._said.search(reading.said)
        return (int(found.group(1)) if found else None), reading


def counter():
    """perf where the kernel lets it count, else callgrind, else None."""
    if shutil.which("perf"):
        perf = Counter("perf", _PERF, _PERF_SAID, "full")
        if perf.count(["true"], {}, 60)[0]:
            return perf
    return callgrind()


def callgrind():
    """The one whose counts can be compared between machines, or None."""
    if shutil.which("valgrind"):
        return Counter("callgrind", _CALLGRIND, _CALLGRIND_SAID, "counted")
    return None


def count_all(how, configs, python, workloads, size, limit_s, tell):
    """{workload: {configuration: instructions}} with the empty program under STARTUP; and the faults."""
    programs = [(STARTUP, ["-c", "pass"])] + [(workload.name, workload.arguments(size)) for workload in workloads]
    found, faults = {}, {}
    for name, arguments in programs:
        for config in configs:
            if config.kind not in _COUNTABLE:
                continue
            tell("%s: %s under %s" % (how.name, name, config.name))
            number, reading = how.count(config.command(python, arguments), config.environment, limit_s)
            fault = config.fault(reading) or (None if number else "nothing was counted")
            if fault:
                faults[config.name, name] = fault
            else:
                found.setdefault(name, {})[config.name] = number
    return found, faults


def ratios(found):
    """{configuration: {workload: (whole, net)}}: net leaves the start-up out of both sides."""
    result = {}
    empty = found.get(STARTUP, {})
    for name, counts in found.items():
        for config, number in counts.items():
            if config == "none" or "none" not in counts:
                continue
            net = None
            if name != STARTUP and config in empty and "none" in empty and counts["none"] > empty["none"]:
                net = (number - empty[config]) / (counts["none"] - empty["none"])
            result.setdefault(config, {})[name] = (number / counts["none"], net)
    return result
