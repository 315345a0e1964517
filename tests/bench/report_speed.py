#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long tm-report takes for a snapshot of many tracebacks, and how much memory.

usage: report_speed.py BIN [RUNS]       BIN has tm-report and many_maker

CPU time of the process, minimum of RUNS (5).  Exit code 1 when tm-report fails or needs more memory than MEMORY_MAX;
times are printed and not judged.
"""
import os
import subprocess
import sys
import tempfile

DEPTH = 25
CASES = [(10000, ["top"]), (1000000, ["top"]), (1000000, ["top", "-c"]), (1000000, ["traceback"])]
MEMORY_MAX = 600 << 20


def run(command):
    """CPU seconds, bytes of the largest resident memory, exit code."""
    with open(os.devnull, "w") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10, status


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5
    failed = False
    with tempfile.TemporaryDirectory(prefix="tm-report-speed-") as scratch:
        for count, arguments in CASES:
            path = os.path.join(scratch, "%d.tms" % count)
            if not os.path.exists(path):
                subprocess.run([os.path.join(folder, "many_maker"), str(count), str(DEPTH), path], check=True)
            results = [run([os.path.join(folder, "tm-report")] + arguments + [path]) for _ in range(runs)]
            memory = max(result[1] for result in results)
            failed |= memory > MEMORY_MAX or any(result[2] != 0 for result in results)
            print("tm-report %-10s %9d tracebacks of %d frames: %.3f s of CPU, %.0f MB"
                  % (" ".join(arguments), count, DEPTH, min(result[0] for result in results), memory / 1e6))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
