# SPDX-License-Identifier: MIT
"""Pretty top: a report of one's own, made of tm-report's JSON.

    LD_PRELOAD=libtracemalloc.so python3 examples/top10.py
    tm-report --format json --limit 0 --exclude '<frozen importlib*' --exclude '<unknown>' tracemalloc.*.tms |
        python3 examples/pretty_top.py

Prints the file without its folders, the source line, and what the lines not shown sum up to.
"""
import json
import linecache
import os
import sys

SHOWN = 3


def short_name(filename):
    return os.sep.join(filename.split(os.sep)[-2:])


def display_top(statistics, shown=SHOWN):
    print("Top %d lines" % shown)
    for index, row in enumerate(statistics[:shown], 1):
        frame = row["traceback"][-1]
        print("#%d: %s:%d: %.1f KiB" % (index, short_name(frame["filename"]), frame["lineno"], row["size"] / 1024))
        line = linecache.getline(frame["filename"], frame["lineno"]).strip()
        if line:
            print("    %s" % line)
    other = statistics[shown:]
    if other:
        print("%d other: %.1f KiB" % (len(other), sum(row["size"] for row in other) / 1024))
    print("Total allocated size: %.1f KiB" % (sum(row["size"] for row in statistics) / 1024))


if __name__ == "__main__":
    display_top(json.load(sys.stdin)["statistics"])
