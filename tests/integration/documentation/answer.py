# SPDX-License-Identifier: MIT
"""What the stdlib prints for snapshots that it dumped: answer.py QUESTION FOLDER PROGRAM [SNAPSHOT ...]."""
import sys
import tracemalloc
from tracemalloc import Filter

question, program = sys.argv[1], sys.argv[2]
snapshots = [tracemalloc.Snapshot.load(path) for path in sys.argv[3:]]
OWN = [Filter(True, program)]
# The sets of weak references of abstract classes grow by the addresses of what they hold: no two runs are the same.
NOISE = [Filter(False, "<frozen abc>"), Filter(False, "*/abc.py"), Filter(False, "*/_weakrefset.py"),
         Filter(False, "<frozen importlib._bootstrap>"), Filter(False, "<frozen importlib._bootstrap_external>"),
         Filter(False, "<unknown>"), Filter(False, "*marking.py", all_frames=True)]
ANY = [Filter(True, program, all_frames=True), Filter(False, "*marking.py", all_frames=True)]


def show(statistics, limit=None):
    for statistic in statistics[:limit]:
        print(statistic)


def biggest(statistics):
    for statistic in statistics[:3]:
        print("%s memory blocks: %.1f KiB" % (statistic.count, statistic.size / 1024))
        for line in statistic.traceback.format():
            print(line)


filters, key, cumulative = {
    "top": (OWN, "lineno", False),
    "files": (ANY, "filename", False),
    "lines": (ANY, "lineno", False),
    "noise": (NOISE, "lineno", False),
    "cumulative": (ANY, "lineno", True),
    "cumulative files": (ANY, "filename", True),
    "tracebacks": (ANY, "traceback", False),
    "biggest": (OWN, "traceback", False),
}[question]
snapshots = [snapshot.filter_traces(filters) for snapshot in snapshots]
if question == "biggest":
    biggest(snapshots[0].statistics("traceback"))
elif len(snapshots) == 2:
    show(snapshots[1].compare_to(snapshots[0], key, cumulative))
else:
    show(snapshots[0].statistics(key, cumulative), 10 if question == "noise" else None)
