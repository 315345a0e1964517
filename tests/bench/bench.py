#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What tracing costs: every workload under every way of tracing, interleaved, beside no tracing.

python3 tests/bench/bench.py --library build/release/lib/libtracemalloc.so

Exit code: 0 done, 1 a run failed (its cell says so), 2 misused.
"""
import argparse
import json
import os
import re
import shlex
import sys

from harness import configs, presets, session, text, workloads

_SMALL = {"items": 2000, "startup_runs": 1, "events": 20000}
_FULL = {"items": 1000000, "startup_runs": 20, "events": 10000000}
_PEERS = ["heaptrack", "memray", "memray-native", "memray-allocators", "memray-aggregate"]


def tell(line):
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__, epilog="configurations:\n" + configs.NAMES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", help="path of libtracemalloc.so; without it only the others are run")
    parser.add_argument("--pythons", help="executables, separated by commas or colons (default: $TM_PYTHONS, "
                                          "else the one that runs this)")
    parser.add_argument("--preset", choices=list(presets.PRESETS), help="readme: the table of the README within ten "
                        "minutes; ours: all of ours, together; sampled: 30 pairs of none and sampled, together; "
                        "real: what people write; all: everything, also instructions: hours")
    parser.add_argument("--runs", type=int, metavar="N", help="default: 5")
    parser.add_argument("--minutes", type=float, metavar="M", help="of the workloads, for each interpreter: no round "
                        "begins that would end later, but for the first")
    parser.add_argument("--together", action="store_true", default=None, help="run the configurations of a round at the "
                        "same time on one processor: least noise between them, no wall time")
    parser.add_argument("--workloads", metavar="NAMES", help="beginnings of names, separated by commas (default: all)")
    parser.add_argument("--configs", metavar="NAMES",
                        help="separated by commas (default: none,us1,us25,stdlib1,stdlib25)")
    parser.add_argument("--peers", action="store_true", help="add heaptrack and memray, each in its usual forms")
    parser.add_argument("--parts", metavar="NAMES", help="default: " + ",".join(session.PARTS))
    parser.add_argument("--size", choices=workloads.SIZES, default="full")
    parser.add_argument("--items", type=int, metavar="N", help="live items of the snapshot part, five blocks each "
                                                              "(default: %d)" % _FULL["items"])
    parser.add_argument("--startup-runs", type=int, metavar="N", help="default: %d" % _FULL["startup_runs"])
    parser.add_argument("--events", type=int, metavar="N", help="pairs of malloc and free (default: %d)" %
                                                               _FULL["events"])
    parser.add_argument("--packages", metavar="FOLDER", help="of what workloads and peers need, a folder for each "
                        "interpreter (default: beside the library, ../bench/packages)")
    parser.add_argument("--install", action="store_true", help="let pip put into it what is missing")
    parser.add_argument("--instructions", "--counts", action="store_true", default=None,
                        help="count instructions as well (perf, else callgrind)")
    parser.add_argument("--event-bench", metavar="FILE", help="default: beside the library, ../bench/event_bench")
    parser.add_argument("--report-tool", metavar="FILE", help="default: beside the library, ../bin/tm-report")
    parser.add_argument("--timeout", type=float, default=900, metavar="S", help="seconds for one run (default: 900)")
    parser.add_argument("--json", metavar="FILE", help="store everything that was read, too")
    parser.add_argument("--show", metavar="FILE", help="print the tables of a stored JSON file and run nothing")
    return parser, parser.parse_args(arguments)


def _beside(library, path):
    """A file of the build folder that holds the library, or None."""
    if library is None:
        return None
    found = os.path.normpath(os.path.join(os.path.dirname(library), "..", path))
    return found if os.access(found, os.X_OK) else None


def _packages(request):
    """The parent folder of the packages, or None; it need not be there."""
    if request.packages is None and request.library:
        return os.path.normpath(os.path.join(os.path.dirname(request.library), "..", "bench", "packages"))
    if request.packages is None and request.install:
        raise ValueError("--install needs --packages or --library")
    return os.path.abspath(request.packages) if request.packages else None


def _given(path, what):
    if path is not None and not os.path.isfile(path):
        raise ValueError("%s: no such %s" % (path, what))
    return os.path.abspath(path) if path else None


def _pythons(given):
    chosen = given or os.environ.get("TM_PYTHONS") or sys.executable
    return [_given(path, "interpreter") for path in re.split("[,:]", chosen) if path]


def _config_names(request):
    default = "none,us1,us25,stdlib1,stdlib25" if request.library else "none,stdlib1,stdlib25"
    names = (request.configs or default).split(",") + (_PEERS if request.peers else [])
    # Everything is said as a ratio to 'none', so it is always there and first.
    return list(dict.fromkeys(["none"] + names))


def look_up(request):
    """Replace names by what they name; ValueError for a name that names nothing."""
    if request.preset:
        presets.fill(request)
    request.runs = 5 if request.runs is None else request.runs
    if request.runs < 1:
        raise ValueError("--runs must be at least 1")
    request.together = bool(request.together)
    request.library = _given(request.library, "library")
    request.event_bench = _given(request.event_bench, "program") or _beside(request.library, "bench/event_bench")
    request.report_tool = _given(request.report_tool, "program") or _beside(request.library, "bin/tm-report")
    request.packages = _packages(request)
    request.parts = request.parts.split(",") if request.parts else session.PARTS
    for part in request.parts:
        if part not in session.PARTS:
            raise ValueError("no part is called '%s'" % part)
    request.pythons = _pythons(request.pythons)
    request.configs = [configs.parse(name, request.library) for name in _config_names(request)]
    request.workloads = workloads.find(request.workloads.split(",") if request.workloads else None)
    for name, value in (_SMALL if request.size == "smoke" else _FULL).items():
        if getattr(request, name) is None:
            setattr(request, name, value)
    return request


def main(arguments):
    parser, request = parse_arguments(arguments)
    if request.show:
        with open(request.show, encoding="utf-8") as file:
            sys.stdout.write(text.render(json.load(file)))
        return 0
    try:
        look_up(request)
    except ValueError as error:
        parser.error(str(error))
    command = " ".join(shlex.quote(word) for word in ["python3", "tests/bench/bench.py"] + arguments)
    document = session.Session(request, tell).run(command)
    sys.stdout.write(text.render(document))
    if request.json:
        with open(request.json, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.write("\n")
    return 1 if session.failed(document) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
