#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tm-report against the tracemalloc module of the interpreter that runs this: random traces become a snapshot of both,
and the lines of --style=tracemalloc, their order and the JSON must be the same.

usage: stdlib_parity.py TM_REPORT TMS_FROM_TEXT [CASES [SEED]]
"""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from fractions import Fraction

if sys.version_info < (3, 6):
    print("no tracemalloc to compare with")
    sys.exit(0)

import tracemalloc  # noqa: E402

RECENT_FIRST = sys.version_info < (3, 7)
UNKNOWN = (("<unknown>", 0),)
DOMAINS = ("raw", "mem", "obj")

NAMES = [
    "a.py", "b.py", "b.pyc", "b.pyo", "lib/a.py", "/usr/lib/python3/json/decoder.py", "<string>", "<unknown>",
    "<frozen importlib._bootstrap>", "with space.py", "colon:7.py", "per%cent.py", "[set].py", "a-b.py", "]x.py",
    "\u00e9t\u00e9.py", "\u4e2d\u6587.py", "\uffee.py", "\U0001f600.py", "\udcff.py", "\udc80\udcfe/x.py", "tab\t.py",
    "quote\".py", "back\\slash.py", "", "A.py", "new\nline.py",
]
PATTERNS = [
    "*", "*.py", "a.py", "?.py", "*/a.py", "lib/*", "<*>", "b.pyc", "b.pyo", "*.pyc", "*.pyo", "[ab].py", "[!ab].py",
    "[a-z]*", "[!a-z]*", "[[]set].py", "[]]x.py", "[", "[!]", "a[-]b.py", "a[a-]b.py", "a[!-]b.py", "*[0-9].py", "**.py",
    "*\u00e9*", "[\u00e0-\u00ff]*.py", "\u4e2d?.py", "?.p?", "\udcff*", "*\udc80*", "*l*.p*y", "*x", "",
    "new?line.py", "[+--]*", "[--a]*", "[a-c-e]*", "*a*a*a*", "[a-", "[!", "x[z-a]",
]


def random_traces(rng, files):
    """Tuples as _tracemalloc gives them: (domain, size, frames most recent first[, number of frames])."""
    names = rng.sample(NAMES + files, rng.randint(1, 6))
    depth = rng.choice((1, 1, 2, 3, 7))
    tracebacks = [tuple((rng.choice(names), rng.randint(0, 4)) for _ in range(rng.randint(1, depth)))
                  for _ in range(rng.randint(1, 14))] + [UNKNOWN]
    sizes = rng.choice(((1,), (0, 1, 2), (8, 16, 100), (1000, 10239, 10240, 102400, 1 << 20), (1 << 33, (1 << 40) - 1)))
    traces = []
    for _ in range(rng.randint(0, 60)):
        traceback = rng.choice(tracebacks)
        trace = (0, rng.choice(sizes), traceback)
        traces.append(trace if sys.version_info < (3, 9) else trace + (len(traceback),))
    return traces


def escape(text):
    return "".join(chr(byte) if (byte < 128 and chr(byte).isalnum()) or chr(byte) in "/._-<>" else "%%%02X" % byte
                   for byte in text.encode("utf-8", "surrogateescape"))


def describe(rng, traces, domains):
    """The text of tests/support/snapshot_builder.h for TRACES, whose domains these are."""
    lines = ["meta python_hex u64 %d" % sys.hexversion, "meta traceback_limit u64 25"]
    for trace, domain in zip(traces, domains):
        frames = [] if trace[2] == UNKNOWN and rng.random() < 0.5 else reversed(trace[2])
        frames = ["%s:%d%s" % (escape(name), line, rng.choice(("", ":f", ":g"))) for name, line in frames]
        others = " ever=%d/%d python-peak=%d/%d" % (trace[1] + rng.choice((0, 8, 1000)), rng.randint(1, 4),
                                                    rng.choice((0, 5, 4096)), rng.randint(1, 3))
        lines.append("trace %s live=%d/1%s | %s" % (domain, trace[1], others, " ".join(frames)))
    # Native memory is not Python's: it may not show.
    lines.append("trace native live=%d/7 | a.py:1" % (7 * rng.choice((17636, 17637))))
    return "\n".join(lines) + "\n"


class Tools(object):
    def __init__(self, report, converter, folder):
        self.report, self.converter, self.folder = report, converter, folder
        self.environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}

    def convert(self, name, text):
        path = os.path.join(self.folder, name)
        subprocess.run([self.converter, path], input=text.encode("ascii"), check=True)
        return path

    def run(self, *arguments):
        arguments = [a if isinstance(a, bytes) else a.encode("utf-8", "surrogateescape") for a in arguments]
        done = subprocess.run([self.report.encode()] + arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=self.environment)
        if done.returncode != 0 or (done.stderr and b"no trace passes the filters" not in done.stderr):
            raise AssertionError("exit code %d: %r" % (done.returncode, done.stderr))
        return done.stdout


def frames_of(traceback):
    frames = [(frame.filename, frame.lineno) for frame in traceback]
    return frames[::-1] if RECENT_FIRST else frames


def expected_json(statistics, diff):
    rows = []
    for one in statistics:
        row = [one.size, one.count]
        row += [one.size_diff, one.count_diff] if diff else []
        rows.append(row + [frames_of(one.traceback)])
    return rows


def json_rows(output, diff):
    rows = []
    for one in json.loads(output.decode("utf-8"))["statistics"]:
        row = [one["size"], one["count"]]
        row += [one["size_diff"], one["count_diff"]] if diff else []
        rows.append(row + [[(frame["filename"], frame["lineno"]) for frame in one["traceback"]]])
    return rows


def as_bytes(lines):
    return "".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape")


def random_filters(rng):
    """Filters for the module, and the arguments that say the same."""
    filters, arguments = [], []
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        inclusive, all_frames = rng.random() < 0.5, rng.random() < 0.5
        pattern, line = rng.choice(PATTERNS), rng.choice((None, None, 0, 1, 2))
        filters.append(tracemalloc.Filter(inclusive, pattern, line, all_frames))
        arguments += ["-" + ("I" if all_frames else "i") if inclusive else "-" + ("X" if all_frames else "x"),
                      pattern if line is None else "%s:%d" % (pattern, line)]
    return filters, arguments


def filtered(snapshot, filters):
    """None where this release's fnmatch cannot compile a pattern that later ones can."""
    try:
        return snapshot.filter_traces(filters)
    except re.error:
        return None


def cumulated(snapshot, key):
    """By key: size and count of the traces that have it in their traceback, each counted once."""
    sums = {}
    for trace in snapshot.traces:
        for one in {(frame.filename, frame.lineno if key == "lineno" else 0) for frame in trace.traceback}:
            size, count = sums.get(one, (0, 0))
            sums[one] = (size + trace.size, count + 1)
    return sorted([size, count, one] for one, (size, count) in sums.items())


class Comparison(object):
    def __init__(self, tools):
        self.tools, self.compared, self.failures = tools, 0, 0

    def check(self, what, expected, found):
        self.compared += 1
        if expected != found:
            self.failures += 1
            if self.failures <= 3:
                print("DIFFERENT %s\n  stdlib:    %r\n  tm-report: %r" % (what, expected, found))

    def check_json(self, what, statistics, arguments, key, diff=False):
        expected, found = expected_json(statistics, diff), json_rows(self.tools.run("--format", "json", *arguments), diff)
        if RECENT_FIRST and key == "traceback":  # ties are decided as in later releases
            expected, found = sorted(expected), sorted(found)
        self.check(what + " (json)", expected, found)

    def check_pickle(self, what, path, statistics, arguments, key, cumulative):
        """What is exported for the module itself, read by it, has the same statistics."""
        target = os.path.join(self.tools.folder, "exported.pickle")
        self.tools.run("export", "--to", "pickle", "-o", target, path, *arguments)
        found = tracemalloc.Snapshot.load(target)
        self.check(what + " (pickle)", list(map(str, statistics)), list(map(str, found.statistics(key, cumulative))))
        self.check(what + " (limit of the pickle)", 25, found.traceback_limit)
        for trace in found.traces._traces:
            self.check(what + " (form of a trace)", 3 if sys.version_info < (3, 9) else 4, len(trace))

    def json(self, *arguments):
        return json.loads(self.tools.run("export", "--to", "json", *arguments).decode("utf-8"))

    def check_once(self, what, snapshot, path, arguments):
        """The rule that is ours: recursion does not count again."""
        for key in ("filename", "lineno"):
            found = self.json(path, "--cumulative", "--group-by", key, *arguments)["statistics"]
            found = [[row["size"], row["count"], tuple(row["traceback"][0][name] for name in ("filename", "lineno"))]
                     for row in found]
            self.check(what + " (cumulative once, %s)" % key, cumulated(snapshot, key), sorted(found))

    def check_domains(self, what, snapshot, domains, filters, arguments):
        expected = {}
        for domain in DOMAINS:
            traces = [trace for trace, its in zip(snapshot.traces._traces, domains) if its == domain]
            traces = tracemalloc.Snapshot(traces, 25).filter_traces(filters).traces
            if len(traces) > 0:
                expected[domain] = [sum(trace.size for trace in traces), len(traces)]
        found = self.json("--group-by", "domain", *arguments)["statistics"]
        self.check(what + " (domains)", expected, {row["domain"]: [row["size"], row["count"]] for row in found})

    def check_domain_filter(self, rng, what, snapshots, domains, filters, paths, arguments, key, cumulative):
        """--domain means what the module makes of these domains' traces alone, also in differences."""
        chosen = rng.sample(DOMAINS, rng.randint(1, 2))
        old, new = [tracemalloc.Snapshot([trace for trace, its in zip(snapshot.traces._traces, domain) if its in chosen],
                                         25).filter_traces(filters) for snapshot, domain in zip(snapshots, domains)]
        arguments = arguments + ["--domain", ",".join(chosen)]
        what += " (--domain %s)" % ",".join(chosen)
        self.check_lines(what, new.statistics(key, cumulative), [paths[1]] + arguments)
        self.check_json(what + " (diff)", new.compare_to(old, key, cumulative), paths + arguments, key, True)

    def check_module_domains(self, what, paths, filters, arguments, key):
        """The module's own DomainFilter on all that is exported; native memory is its domain 1."""
        target, both = os.path.join(self.tools.folder, "domains.pickle"), []
        for path in paths:
            self.tools.run("export", "--to", "pickle", "--domain", "all", "-o", target, path)
            both.append(tracemalloc.Snapshot.load(target))
        for inclusive, domain in ((True, "native"), (False, "python")):
            old, new = [one.filter_traces(filters).filter_traces([tracemalloc.DomainFilter(inclusive, 1)]) for one in both]
            self.check_json(what + " (DomainFilter, %s)" % domain, new.compare_to(old, key),
                            paths + ["--domain", domain, "--group-by", key, "--limit", "0"] + arguments, key, True)

    def check_rows(self, rng, what, top, diff, old, new, arguments):
        """Small rows are left out; any column sorts, and what is equal there stays in the module's order."""
        size, count = rng.choice((0, 1, 100, 10000)), rng.choice((0, 0, 1, 2, 5))
        limits = ["--min-size", str(size), "--min-count", str(count)]
        columns = {"size": lambda one: -one.size, "count": lambda one: -one.count,
                   "average": lambda one: Fraction(-one.size, one.count or 1) if one.count else 0}
        column = rng.choice(sorted(columns))
        expected = sorted((one for one in top if one.size >= size and one.count >= count), key=columns[column])
        self.check_lines(what + " (%s)" % column, expected, [new, "--sort", column] + limits + arguments)
        columns["count-diff"] = lambda one: -abs(one.count_diff)
        column = rng.choice(sorted(columns))
        expected = sorted((one for one in diff if abs(one.size_diff) >= size and abs(one.count_diff) >= count),
                          key=columns[column])
        self.check_lines(what + " (diff, %s)" % column, expected, [old, new, "--sort", column] + limits + arguments)
        if not RECENT_FIRST:
            self.check_lines(what + " (location)", sorted(top, key=lambda one: one.traceback),
                             [new, "--sort", "location"] + arguments)

    def check_lines(self, what, statistics, arguments):
        self.check(what, as_bytes(map(str, statistics)), self.tools.run("--style=tracemalloc", *arguments))

    def check_figure(self, rng, what, path, key, arguments):
        """What the module reads from the pickle of another figure is what we say of it."""
        figure = rng.choice(("ever", "peak"))
        target = os.path.join(self.tools.folder, "figure.pickle")
        self.tools.run("export", "--to", "pickle", "--figure", figure, "-o", target, path, *arguments)
        expected = tracemalloc.Snapshot.load(target).statistics(key)
        self.check(what + " (%s)" % figure, sorted(expected_json(expected, False)),
                   sorted(json_rows(self.tools.run("export", "--to", "json", "--figure", figure, "--group-by", key, path,
                                                   *arguments), False)))

    def case(self, rng, number, files):
        texts, snapshots, domains = [], [], []
        for _ in range(2):
            traces = random_traces(rng, files)
            if snapshots and rng.random() < 0.7:
                traces += rng.sample(snapshots[0].traces._traces, rng.randint(0, len(snapshots[0].traces)))
            snapshots.append(tracemalloc.Snapshot(traces, 25))
            domains.append([rng.choice(DOMAINS) for _ in traces])
            texts.append(describe(rng, traces, domains[-1]))
        old, new = [self.tools.convert(name, text) for name, text in zip(("old.tms", "new.tms"), texts)]
        filters, arguments = random_filters(rng)
        olds, news = [filtered(snapshot, filters) for snapshot in snapshots]
        if olds is None or news is None:
            return
        filter_arguments = list(arguments)
        key, cumulative = rng.choice(("filename", "lineno", "traceback")), False
        if key != "traceback" and rng.random() < 0.4:
            cumulative = True
            arguments += ["--stdlib-cumulative"]
        arguments += ["--group-by", key, "--limit", "0"]
        what = "case %d: %s" % (number, arguments)
        top, diff = news.statistics(key, cumulative), news.compare_to(olds, key, cumulative)
        self.check_pickle(what, new, top, filter_arguments, key, cumulative)
        style = "--style=tracemalloc"
        self.check(what, as_bytes(map(str, top)), self.tools.run(new, style, *arguments))
        self.check_json(what, top, [new] + arguments, key)
        self.check_once(what, news, new, filter_arguments)
        self.check_domains(what, snapshots[1], domains[1], filters, [new] + filter_arguments)
        self.check_domain_filter(rng, what, snapshots, domains, filters, [old, new], arguments, key, cumulative)
        self.check_module_domains(what, [old, new], filters, filter_arguments, key)
        self.check_rows(rng, what, top, diff, old, new, arguments)
        self.check_figure(rng, what, new, key, filter_arguments)
        self.check(what + " (diff)", as_bytes(map(str, diff)), self.tools.run(old, new, style, *arguments))
        self.check_json(what + " (diff)", diff, [old, new] + arguments, key, True)
        if key == "traceback":
            blocks = []
            for one in top:
                head = "%s memory blocks: %.1f KiB" % (one.count, one.size / 1024)
                blocks.append(as_bytes([head] + one.traceback.format()))
            self.check(what + " (traceback)", b"\n".join(blocks), self.tools.run("traceback", new, style, "-n", "0", *filter_arguments))


def source_files(folder):
    """Files with lines to show, in several encodings and kinds of line ends."""
    contents = {
        "plain.py": b"import os\n    indented = 1  \n\n\tlast",
        "crlf.py": b"one\r\ntwo\rthree\r\n\xc3\xa9t\xc3\xa9\r\n",
        "bom.py": b"\xef\xbb\xbffirst = 1\nsecond = 2\n",
        "latin.py": b"# -*- coding: latin-1 -*-\nname = '\xe9'\nmore\n",
        "feed.py": b"one\x0ctwo\nthree\x0b\n\x1c four\n",
    }
    for name, content in contents.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)
    return [os.path.join(folder, name) for name in sorted(contents)]


def main():
    cases = int(sys.argv[3]) if len(sys.argv) > 3 else 150
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 2020
    warnings.simplefilter("ignore")
    folder = tempfile.mkdtemp(prefix="tm-parity-")
    try:
        comparison = Comparison(Tools(sys.argv[1], sys.argv[2], folder))
        rng = random.Random(seed)
        files = source_files(folder)
        for number in range(cases):
            comparison.case(rng, number, files)
    finally:
        shutil.rmtree(folder)
    print("Python %s: %d comparisons in %d cases, %d differences"
          % (sys.version.split()[0], comparison.compared, cases, comparison.failures))
    return 1 if comparison.failures or not comparison.compared else 0


if __name__ == "__main__":
    sys.exit(main())
