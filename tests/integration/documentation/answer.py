# SPDX-License-Identifier: MIT
"""What the stdlib prints for snapshots that it dumped: answer.py PROGRAM QUESTIONS, which are a JSON list of
[question, [SNAPSHOT, ...]].  Prints a JSON list of texts."""
import functools
import json
import sys
import tracemalloc
from tracemalloc import Filter

program = sys.argv[1]
OWN = (Filter(True, program),)
# The sets of weak references of abstract classes grow by the addresses of what they hold: no two runs are the same.
NOISE = (Filter(False, "<frozen abc>"), Filter(False, "*/abc.py"), Filter(False, "*/_weakrefset.py"),
         Filter(False, "<frozen importlib._bootstrap>"), Filter(False, "<frozen importlib._bootstrap_external>"),
         Filter(False, "<unknown>"), Filter(False, "*marking.py", all_frames=True))
ANY = (Filter(True, program, all_frames=True), Filter(False, "*marking.py", all_frames=True))

QUESTIONS = {
    "top": (OWN, "lineno", False),
    "files": (ANY, "filename", False),
    "lines": (ANY, "lineno", False),
    "noise": (NOISE, "lineno", False),
    "cumulative": (ANY, "lineno", True),
    "cumulative files": (ANY, "filename", True),
    "tracebacks": (ANY, "traceback", False),
    "biggest": (OWN, "traceback", False),
}


@functools.lru_cache(maxsize=None)
def load(path):
    return tracemalloc.Snapshot.load(path)


@functools.lru_cache(maxsize=None)
def filtered(path, filters):
    return load(path).filter_traces(filters)


def biggest(statistics):
    for statistic in statistics[:3]:
        yield "%s memory blocks: %.1f KiB" % (statistic.count, statistic.size / 1024)
        for line in statistic.traceback.format():
            yield line


def answer(question, paths):
    filters, key, cumulative = QUESTIONS[question]
    snapshots = [filtered(path, filters) for path in paths]
    if question == "biggest":
        return biggest(snapshots[0].statistics("traceback"))
    if len(snapshots) == 2:
        return map(str, snapshots[1].compare_to(snapshots[0], key, cumulative))
    return map(str, snapshots[0].statistics(key, cumulative)[:10 if question == "noise" else None])


json.dump(["\n".join(answer(question, paths)) for question, paths in json.loads(sys.argv[2])], sys.stdout)
