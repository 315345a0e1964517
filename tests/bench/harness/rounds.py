# SPDX-License-Identifier: MIT
"""Interleaved rounds: A B C, A B C, ...; so that a slow minute of the machine falls on all of them alike."""
import time

from . import measure


class Rounds:
    """Readings by configuration and workload.  The first fault of a pair ends that pair: its cell shows the reason."""

    def __init__(self, limit_s, tell, parent=None):
        self._limit_s = limit_s
        self._tell = tell
        self._parent = parent
        self.readings = {}
        self.faults = {}

    def _once(self, config, key, command):
        if (config.name, key) in self.faults:
            return
        reading = measure.run(command, config.environment_for_run(), self._limit_s, self._parent)
        fault = config.fault(reading)
        if fault is not None:
            self.faults[config.name, key] = fault
            self.readings.pop((config.name, key), None)
            self._tell("%s %s: %s" % (config.name, key, fault))
            return
        self.readings.setdefault((config.name, key), []).append(reading)

    def run(self, count, configs, python, programs, seconds=None):
        """programs: pairs of a name and of what makes the interpreter's arguments from a Config.

        No round begins that, as long as the longest before it, would end after `seconds`.  Returns how many were run.
        """
        started = time.monotonic()
        longest = 0
        for number in range(count):
            began = time.monotonic()
            if seconds is not None and number > 0 and began - started + longest > seconds:
                return number
            # Nobody is always the first, or always after the same.
            turned = configs[number % len(configs):] + configs[:number % len(configs)]
            for name, arguments in programs:
                self._tell("round %d of %d: %s" % (number + 1, count, name))
                for config in turned:
                    self._once(config, name, config.command(python, arguments(config)))
            longest = max(longest, time.monotonic() - began)
        return count

    def series(self, config, figure, keys):
        """{key: figures in the order of the rounds} of one configuration."""
        return {key: [getattr(reading, figure) for reading in self.readings.get((config.name, key), [])]
                for key in keys}
