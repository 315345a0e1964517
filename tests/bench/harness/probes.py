# SPDX-License-Identifier: MIT
"""What the workloads do not show: start-up, a snapshot, the price of a live block, a bare malloc."""
import json
import os
import shutil
import statistics
import tempfile

from . import measure
from .figures import summary
from .rounds import Rounds

LIVE_OBJECTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "probes", "live_objects.py")
SNAPSHOT = "probe.tms"
_KINDS_WITH_SNAPSHOT = ("none", "us", "stdlib")


STARTUPS = (("python -c pass", ["-c", "pass"]), ("python -S -c pass", ["-S", "-c", "pass"]))


def startup(configs, python, count, limit_s, tell):
    """Milliseconds of the empty program, with and without what the site module runs on this machine.

    'added' is the least reading less the least one of 'none'.
    """
    rounds = Rounds(limit_s, tell)
    usable = [config for config in configs if config.kind != "memray"]
    rounds.run(count, usable, python, [(name, lambda _config, flags=flags: flags) for name, flags in STARTUPS])
    found = {}
    for name, _flags in STARTUPS:
        cells = found.setdefault(name, {})
        for config in usable:
            readings = rounds.readings.get((config.name, name), [])
            if not readings:
                continue
            cells[config.name] = {
                "runs": len(readings),
                "wall_ms": summary([reading.wall_s * 1000 for reading in readings]),
                "cpu_ms": summary([reading.cpu_s * 1000 for reading in readings]),
            }
            if "none" in cells:
                for figure in ("wall_ms", "cpu_ms"):
                    added = cells[config.name][figure]["min"] - cells["none"][figure]["min"]
                    cells[config.name]["added_" + figure] = added
    return found, rounds.faults


def memory_folder():
    """A folder whose fsync costs nothing, if there is one: what is measured is our work, not the disk's."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _answers(rounds, config, key):
    return [json.loads(reading.out) for reading in rounds.readings.get((config.name, key), [])]


def _median(answers, key):
    values = [answer[key] for answer in answers if key in answer]
    return statistics.median(values) if values else None


def live_objects(configs, python, items, count, limit_s, tell):
    """Time and size of a snapshot at `items` live items, and bytes of RSS that a live block costs beyond the program's.

    The difference to 'none' is taken twice, with all items and with none: the second is the tracer's fixed part.
    """
    chosen = [config for config in configs if config.kind in _KINDS_WITH_SNAPSHOT]
    rounds = Rounds(limit_s, tell, memory_folder())

    def program(number):
        return lambda config: [LIVE_OBJECTS, str(number), config.kind, SNAPSHOT]

    rounds.run(count, chosen, python, [("empty heap", program(0)), ("live heap", program(items))])
    base = next(config for config in chosen if config.kind == "none")
    base_empty = _median(_answers(rounds, base, "empty heap"), "rss_bytes")
    base_full = _median(_answers(rounds, base, "live heap"), "rss_bytes")
    found = {}
    for config in chosen:
        empty, full = _answers(rounds, config, "empty heap"), _answers(rounds, config, "live heap")
        if not empty or not full or base_full is None or base_empty is None:
            continue
        fixed = _median(empty, "rss_bytes") - base_empty
        grown = _median(full, "rss_bytes") - base_full - fixed
        found[config.name] = {
            "runs": len(full),
            "blocks": full[0]["blocks"],
            "rss_bytes": _median(full, "rss_bytes"),
            "fixed_bytes": fixed,
            "bytes_per_block": grown / full[0]["blocks"],
            "tracer_bytes": _median(full, "tracer_bytes"),
            "file_bytes": _median(full, "file_bytes"),
            "report_s": _median(full, "report_s"),
        }
        for key in ("take_s", "to_file_s"):
            values = [answer[key] for answer in full if key in answer]
            found[config.name][key] = summary(values)
    return found, rounds.faults


def report_seconds(config, python, items, count, tool, limit_s):
    """Median wall time of tm-report over the snapshot of the probe; None when either of the two fails."""
    folder = tempfile.mkdtemp(prefix="tm-bench-", dir=memory_folder())
    try:
        command = config.command(python, [LIVE_OBJECTS, str(items), config.kind, SNAPSHOT])
        if config.fault(measure.run(command, config.environment_for_run(), limit_s, keep_folder=folder)):
            return None
        plain = {name: value for name, value in config.environment_for_run().items() if name != "LD_PRELOAD"}
        readings = [measure.run([tool, SNAPSHOT], plain, limit_s, keep_folder=folder) for _ in range(count)]
        if any(reading.status != 0 for reading in readings):
            return None
        return statistics.median(reading.wall_s for reading in readings)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def captures(configs, python, items, limit_s, tell):
    """Of the tracers that log: bytes of the log of `items` live items, once, and seconds to make their report of it."""
    found, faults = {}, {}
    for config in configs:
        if config.report_command(python) is None:
            continue
        tell("capture and report: " + config.name)
        folder = tempfile.mkdtemp(prefix="tm-bench-", dir=memory_folder())
        try:
            command = config.command(python, [LIVE_OBJECTS, str(items), "none", SNAPSHOT, "leave"])
            taken = measure.run(command, config.environment_for_run(), limit_s, keep_folder=folder)
            fault = config.fault(taken)
            if not fault:
                report = measure.run(config.report_command(python), config.environment_for_run(), limit_s,
                                     keep_folder=folder)
                fault = "its report: " + report.said if report.status != 0 else None
            if fault:
                faults[config.name, "capture"] = fault
            else:
                found[config.name] = {"file_bytes": taken.disk_bytes, "report_s": report.wall_s,
                                      "report_rss_bytes": report.rss_bytes}
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return found, faults


def parse_events(text):
    """{name: (value, unit)} of the lines 'name value ns/pair'; heaptrack's launcher talks on the same stream."""
    words = [line.split() for line in text.splitlines()]
    return {line[0]: (float(line[1]), line[2]) for line in words if len(line) == 3 and line[2] == "ns/pair"}


def _event_fault(config, reading):
    if reading.status != 0:
        return "exit code %d" % reading.status
    if config.kind == "us" and "tracing 1 flag" not in reading.out:
        return "the library did not trace"
    return None


def events(configs, program, arguments, count, limit_s, tell):
    """event_bench under each configuration that can run a program without Python; least value of the rounds."""
    least, faults = {}, {}
    for number in range(count):
        tell("round %d of %d: malloc and free" % (number + 1, count))
        for config in configs:
            if config.kind not in ("none", "us", "heaptrack") or config.name in faults:
                continue
            reading = measure.run(config.before + [program] + arguments, config.environment_for_run(), limit_s)
            fault = _event_fault(config, reading)
            if fault:
                faults[config.name] = fault
                least.pop(config.name, None)
                continue
            for name, (value, unit) in parse_events(reading.out).items():
                kept = least.setdefault(config.name, {}).setdefault(name, {"value": value, "unit": unit})
                kept["value"] = min(kept["value"], value)
    for found in least.values():
        for name, figure in found.items():
            if name in least.get("none", {}):
                figure["added"] = figure["value"] - least["none"][name]["value"]
    return least, faults
