#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The doors of libc: programs/libc_doors.c under the library alone, and with other allocators behind it.

    python3 tests/hooks/libc_test.py --library LIB --program LIBC_DOORS

Also compares the library's exports with the list of hooked functions: nothing else may be visible.
"""
import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.path.join(HERE, "..", "..", "src", "runtime", "hook")
ALLOCATORS = ("libjemalloc.so*", "libmimalloc.so*", "libtcmalloc_minimal.so*")


def exported(library):
    text = subprocess.run(["nm", "-D", "--defined-only", library], stdout=subprocess.PIPE, check=True).stdout.decode()
    return {line.split()[-1].split("@")[0] for line in text.splitlines()}


def hooked():
    with open(os.path.join(SOURCES, "hooked_functions.h")) as stream:
        return set(re.findall(r"TM_HOOKED\([^,]+, (\w+),[\s\\]*\(", stream.read()))


def behind():
    """Other allocators found here; the empty name is libc's."""
    yield ""
    for pattern in ALLOCATORS:
        found = sorted(glob.glob(os.path.join("/usr/lib", "*", pattern)) + glob.glob(os.path.join("/usr/lib*", pattern)))
        if found:
            yield found[0]
        else:
            print("skipped %s: not installed" % pattern)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", required=True)
    parser.add_argument("--program", required=True)
    options = parser.parse_args()
    failed = 0
    names = {name for name in exported(options.library) if not name.startswith("tracemalloc_")}
    if names != hooked():
        print("FAILED exports: too many %s, missing %s" % (sorted(names - hooked()), sorted(hooked() - names)))
        failed += 1
    for allocator in behind():
        for start in ("now", "off"):
            with tempfile.TemporaryDirectory(prefix="tm-test-") as folder:
                environment = dict(os.environ, LD_PRELOAD=" ".join([os.path.abspath(options.library), allocator]).strip())
                environment["TRACEMALLOC_START"] = start
                run = subprocess.run([os.path.abspath(options.program), "other" if allocator else "libc"], env=environment, cwd=folder,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
                # Stopped, no block is known: the program must say so and not crash.
                holds = run.returncode == (0 if start == "now" else 1) and os.listdir(folder) == []
                if not holds:
                    print("FAILED %s START=%s: exit code %d, left %s\n%s" %
                          (allocator or "libc", start, run.returncode, os.listdir(folder), run.stdout.decode()))
                failed += not holds
    print("%d failures" % failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
