# SPDX-License-Identifier: MIT
"""Interleaved rounds: A B C, A B C, ...; so that a slow minute of the machine falls on all of them alike.

Or together: A, B and C at the same time on one processor, which divides itself among them every few milliseconds.
"""
import os
import time

from . import measure


class Rounds:
    """Readings by configuration and workload.  The first fault of a pair ends that pair: its cell shows the reason."""

    def __init__(self, limit_s, tell, parent=None, together=False):
        self._limit_s = limit_s
        self._tell = tell
        self._parent = parent
        self._processors = sorted(os.sched_getaffinity(0)) if together else None
        self.readings = {}
        self.faults = {}

    def _keep(self, config, key, reading):
        fault = config.fault(reading)
        if fault is not None:
            self.faults[config.name, key] = fault
            self.readings.pop((config.name, key), None)
            self._tell("%s %s: %s" % (config.name, key, fault))
            return
        self.readings.setdefault((config.name, key), []).append(reading)

    def _program(self, number, configs, python, key, arguments):
        """One program of one round."""
        chosen = [config for config in configs if (config.name, key) not in self.faults]
        runs = [(config.command(python, arguments(config)), config.environment_for_run()) for config in chosen]
        if self._processors:
            # In turn after all orders were there, so that no order belongs to one processor.
            processor = self._processors[number // len(configs) % len(self._processors)]
            readings = measure.run_together(processor, runs, self._limit_s, self._parent)
        else:
            readings = [measure.run(command, environment, self._limit_s, self._parent) for command, environment in runs]
        for config, reading in zip(chosen, readings):
            self._keep(config, key, reading)

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
                self._program(number, turned, python, name, arguments)
            longest = max(longest, time.monotonic() - began)
        return count

    def series(self, config, figure, keys):
        """{key: figures in the order of the rounds} of one configuration."""
        return {key: [getattr(reading, figure) for reading in self.readings.get((config.name, key), [])]
                for key in keys}
