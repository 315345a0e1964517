#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails when an event costs more instructions than it did: counts of callgrind, which repeat on any machine.

python3 tests/bench/guard.py --library build/release/lib/libtracemalloc.so [--record]

Compared are ratios to no tracing without the start-up, with those in instruction_ratios.json.  They depend on the
interpreter, so they are kept per build of it (sys.version) and the guard runs where it knows the build.

Exit code: 0 nothing is dearer, 1 something is, 2 misused, 77 nothing to compare with (no valgrind, another build).
"""
import argparse
import json
import os
import subprocess
import sys

from harness import configs, instructions, workloads

RECORD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instruction_ratios.json")
# EXACT: on Debian's static build births, too, are heard (recycled objects); on others they are without it.
CONFIGS = ("none", "us1", "us25", "us1:EXACT=1", "us1:SAMPLE=512KiB")
WORKLOADS = ("w1", "w2", "w5", "w8")
SIZE = "smoke"
MORE = 0.03   # of the ratio: what another libc or another place in memory changes
LESS = 0.10   # of the ratio: then the record is out of date
LIMIT_S = 900
SKIPPED = 77


def tell(line):
    sys.stderr.write(line + "\n")


def count(library, python):
    """{configuration: {workload: ratio}}"""
    chosen = [configs.parse(name, os.path.abspath(library)) for name in CONFIGS]
    found, faults = instructions.count_all(instructions.callgrind(), chosen, python, workloads.find(WORKLOADS), SIZE,
                                           LIMIT_S, tell)
    for (config, workload), fault in sorted(faults.items()):
        sys.exit("guard.py: %s under %s: %s" % (workload, config, fault))
    return {config: {name: round(net, 3) for name, (_whole, net) in sorted(of.items()) if net is not None}
            for config, of in sorted(instructions.ratios(found).items())}


def judge(before, found):
    """Capitals for what must not be."""
    if found is None:
        return "NOT COUNTED"
    if before is None:
        return "NOT RECORDED"
    if found > before * (1 + MORE):
        return "DEARER"
    return "cheaper: record it with --record" if found < before * (1 - LESS) else "ok"


def compare(now, then):
    """Prints a line for each; true when nothing is dearer, and everything was counted and is recorded."""
    holds = True
    for config in sorted(set(then) | set(now)):
        for name in sorted(set(then.get(config, {})) | set(now.get(config, {}))):
            before, found = then.get(config, {}).get(name), now.get(config, {}).get(name)
            verdict = judge(before, found)
            holds = holds and not verdict.isupper()
            print("%-18s %-12s was %s, is %s  %s" % (config, name, before, found, verdict))
    return holds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True)
    parser.add_argument("--python", default="/usr/bin/python3")
    parser.add_argument("--record", action="store_true", help="store what is counted now")
    options = parser.parse_args()
    if instructions.callgrind() is None or not os.path.exists(options.python):
        print("skipped: valgrind or %s is missing" % options.python)
        return SKIPPED
    build = subprocess.check_output([options.python, "-c", "import sys; print(sys.version)"]).decode().strip()
    with open(RECORD, encoding="utf-8") as file:
        known = json.load(file)
    if build not in known and not options.record:
        print("skipped: no ratios are recorded for Python %s" % build)
        return SKIPPED
    now = count(options.library, options.python)
    if not options.record:
        return 0 if compare(now, known[build]) else 1
    known[build] = now
    with open(RECORD, "w", encoding="utf-8") as file:
        json.dump(known, file, indent=1, sort_keys=True)
        file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
