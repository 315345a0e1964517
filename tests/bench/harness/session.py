# SPDX-License-Identifier: MIT
"""One whole measurement: from what was asked for to the document that is printed and stored."""
import os

from . import configs, figures, instructions, machine, measure, packages, probes
from .rounds import Rounds

FORMAT = 1
COMPARED = ("cpu_s", "wall_s", "rss_bytes")
TOGETHER = ("cpu_s", "rss_bytes")
RSS_MARGIN = 1.05
PARTS = ("workloads", "startup", "snapshot", "events")


def _named(faults):
    return ["%s under %s: %s" % (key, config, fault) for (config, key), fault in faults.items()]


class Session:
    def __init__(self, request, tell):
        """request: the parsed arguments of bench.py, with configs, workloads and pythons looked up."""
        self._request = request
        self._tell = tell

    def _prove(self, chosen, python, workloads):
        """One small run of each configuration, not measured: warms the caches and shows early what cannot work."""
        if not workloads:
            return
        small = workloads[0]
        for config in chosen:
            command = config.command(python, small.arguments("smoke"))
            fault = config.fault(measure.run(command, config.environment_for_run(), self._request.timeout))
            if fault:
                self._tell("%s does not work here: %s" % (config.name, fault))

    def _workloads(self, part, chosen, python, workloads):
        request = self._request
        rounds = Rounds(request.timeout, self._tell, together=request.together)
        compared = TOGETHER if request.together else COMPARED
        programs = [(workload.name, lambda _config, workload=workload: workload.arguments(request.size))
                    for workload in workloads]
        seconds = request.minutes * 60 if request.minutes else None
        part["rounds"] = rounds.run(request.runs, chosen, python, programs, seconds)
        names = [workload.name for workload in workloads]
        part["faults"] += _named(rounds.faults)
        part["workloads"] = {name: {} for name in names}
        part["comparison"] = {figure: {} for figure in compared}
        for config in chosen:
            for figure in compared + ("disk_bytes",):
                for name, values in rounds.series(config, figure, names).items():
                    part["workloads"][name].setdefault(config.name, {})[figure] = values
        for figure in compared:
            base = rounds.series(chosen[0], figure, names)
            for config in chosen[1:]:
                series = rounds.series(config, figure, names)
                part["comparison"][figure][config.name] = figures.comparison(series, base)

    def _startup(self, part, chosen, python, _workloads):
        request = self._request
        part["startup"], faults = probes.startup(chosen, python, request.startup_runs, request.timeout, self._tell)
        part["faults"] += _named(faults)

    def _snapshot(self, part, chosen, python, _workloads):
        request = self._request
        found, faults = probes.live_objects(chosen, python, request.items, request.runs, request.timeout, self._tell)
        part["faults"] += _named(faults)
        part["live_objects"] = found
        part["captures"], faults = probes.captures(chosen, python, request.items, request.timeout, self._tell)
        part["faults"] += _named(faults)
        if request.report_tool:
            for config in chosen:
                if config.kind == "us" and config.name in found:
                    found[config.name]["report_s"] = probes.report_seconds(
                        config, python, request.items, request.runs, request.report_tool, request.timeout)

    def _instructions(self, part, chosen, python, workloads):
        request = self._request
        how = instructions.counter()
        if how is None:
            part["skipped"]["--instructions"] = "neither perf nor callgrind can count here"
            return
        size = "smoke" if request.size == "smoke" else how.size
        counts, faults = instructions.count_all(how, chosen, python, workloads, size, request.timeout, self._tell)
        part["faults"] += _named(faults)
        ratios = instructions.ratios(counts)
        means = {}
        for config, found in ratios.items():
            pairs = [pair for name, pair in found.items() if name != instructions.STARTUP]
            means[config] = (figures.geometric_mean([whole for whole, _net in pairs]),
                             figures.geometric_mean([net for _whole, net in pairs if net is not None]))
        part["instructions"] = {"how": how.name, "size": size, "counts": counts, "ratios": ratios,
                                "geometric_mean": means}

    def _usable(self, interpreter, candidates, skipped):
        """Those of the candidates (configurations or workloads) that can be run; why the others cannot, in skipped."""
        chosen = []
        for candidate in candidates:
            reason = candidate.unusable_with(interpreter)
            if reason:
                skipped[candidate.name] = reason
                self._tell("%s: skipped, %s" % (candidate.name, reason))
            else:
                chosen.append(candidate)
        return chosen

    def _interpreter(self, path):
        interpreter = machine.Interpreter(path, configs.clean_environment())
        parent = self._request.packages
        if self._request.install:
            packages.install(interpreter, parent, configs.clean_environment(), self._tell)
        with packages.offered(packages.folder_of(parent, interpreter) if parent else None):
            interpreter = machine.Interpreter(path, configs.clean_environment())
            return self._measured(interpreter)

    def _measured(self, interpreter):
        path = interpreter.path
        part = {"interpreter": interpreter.described(), "skipped": {}, "faults": []}
        chosen = self._usable(interpreter, self._request.configs, part["skipped"])
        workloads = self._usable(interpreter, self._request.workloads, part["skipped"])
        part["configs"] = [config.name for config in chosen]
        self._tell("python %s, %s" % (part["interpreter"]["version"], path))
        self._prove(chosen, path, workloads)
        steps = {"workloads": self._workloads, "startup": self._startup, "snapshot": self._snapshot}
        for name in self._request.parts:
            if name in steps:
                steps[name](part, chosen, path, workloads)
        if self._request.instructions:
            self._instructions(part, chosen, path, workloads)
        return part

    def _events(self):
        request = self._request
        least, faults = probes.events(request.configs, request.event_bench, [str(request.events)], request.runs,
                                      request.timeout, self._tell)
        return {"least": least, "faults": faults}

    def _remarks(self, document):
        """What a reader must know before he believes a cell."""
        request = self._request
        remarks = []
        if any(config.kind == "heaptrack" for config in request.configs):
            remarks.append("heaptrack: CPU is the sum and peak RSS the largest of its process tree, which includes its "
                           "own interpreter of frames.")
        if request.together and "workloads" in request.parts:
            remarks.append("CPU: the configurations of a round ran at the same time on one processor; the medians and the "
                           "mean of the pairs compare those of one round.")
        if "events" in request.parts and not request.event_bench:
            remarks.append("malloc + free: skipped, event_bench was not found (--event-bench).")
        floor = document["floor_rss_bytes"] * RSS_MARGIN
        low = [part["interpreter"]["version"] for part in document["interpreters"]
               for cells in part.get("workloads", {}).values() for figures in cells.values()
               if figures["rss_bytes"] and min(figures["rss_bytes"]) < floor]
        if low:
            remarks.append("peak RSS: too close to the least that can be read, with " + ", ".join(sorted(set(low))))
        return remarks

    def run(self, command):
        request = self._request
        document = {
            "format": FORMAT,
            "command": command,
            "machine": machine.described(),
            "library": machine.described_library(request.library),
            "size": request.size,
            "runs": request.runs,
            "together": request.together,
            "items": request.items,
            "floor_rss_bytes": measure.floor_rss_bytes(configs.clean_environment()),
            "interpreters": [self._interpreter(path) for path in request.pythons],
        }
        if "events" in request.parts and request.event_bench:
            document["events"] = self._events()
        document["remarks"] = self._remarks(document)
        document["machine"]["load_after"] = os.getloadavg()[0]
        return document


def failed(document):
    """Whether a cell of the tables is missing."""
    events = document.get("events")
    return any(part["faults"] for part in document["interpreters"]) or bool(events and events["faults"])
