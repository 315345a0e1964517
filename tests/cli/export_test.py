#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Exported files read by readers of their own: gzip and a decoder of protocol buffers, csv, json, and pprof where Go's
is installed.  All must say what tm-report --format json says.

usage: export_test.py TM_REPORT SNAPSHOT...
"""
import collections
import csv
import gzip
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import tracemalloc

ALL = ["--domain", "all"]
SAMPLE_TYPES = ["live_bytes", "live_blocks", "alloc_bytes", "alloc_blocks", "peak_bytes"]


def run(*arguments):
    return subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """Field numbers to lists of values; what else than varints and bytes is there is an error."""
    result, at = collections.defaultdict(list), 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
            if len(value) != length:
                raise AssertionError("a field ends behind its message")
        else:
            raise AssertionError("wire type %d" % (key & 7))
        result[key >> 3].append(value)
    return result


def packed(data):
    values, at = [], 0
    while at < len(data):
        value, at = varint(data, at)
        values.append(value)
    return values


def number(message, field):
    return message[field][0] if field in message else 0


class Profile(object):
    """A profile.proto as (values, frames, labels) per sample; frames are (function, file, line), oldest first."""

    def __init__(self, data):
        profile = fields(gzip.decompress(data))
        self.strings = [text.decode("utf-8") for text in profile[6]]
        if self.strings[0] != "":
            raise AssertionError("string 0 is %r" % self.strings[0])
        self.types = [self.strings[number(fields(one), 1)] for one in profile[1]]
        self.units = [self.strings[number(fields(one), 2)] for one in profile[1]]
        self.default = self.strings[number(profile, 14)]
        self.functions = {}
        for function in map(fields, profile[5]):
            if 3 in function:
                raise AssertionError("a system name, by which `<module>` is taken for a template")
            self.functions[number(function, 1)] = [self.strings[number(function, i)] for i in (2, 4)]
        self.locations = {}
        for location in map(fields, profile[4]):
            line = fields(location[4][0])
            self.locations[number(location, 1)] = tuple(self.functions[number(line, 1)]) + (number(line, 2),)
        self.samples = [self.sample(fields(one)) for one in profile[2]]

    def sample(self, sample):
        labels = {self.strings[number(label, 1)]: self.strings[number(label, 2)] for label in map(fields, sample[3])}
        frames = [self.locations[i] for i in packed(sample[1][0])]
        return packed(sample[2][0]), frames[::-1], labels


class Test(object):
    def __init__(self, report, path):
        self.report, self.path, self.checks = report, path, 0

    def equal(self, what, expected, found):
        self.checks += 1
        if expected != found:
            raise AssertionError("%s: %s:\n  expected %r\n  found    %r" % (self.path, what, expected, found))

    def export(self, to, *arguments):
        return run(self.report, "export", "--to", to, *(arguments + (self.path,)))

    def rows(self, figure="live", group_by="traceback", *arguments):
        output = run(self.report, "--format", "json", "-f", figure, "-g", group_by, *(arguments + (self.path,)))
        return json.loads(output.decode("utf-8"))

    def check_json(self):
        self.equal("json", self.rows(), json.loads(self.export("json", "-g", "traceback").decode("utf-8")))

    def check_csv(self):
        for key in ("filename", "lineno", "traceback"):
            text = self.export("csv", "-g", key).decode("utf-8", "surrogateescape")
            table = list(csv.DictReader(io.StringIO(text, newline="")))
            expected = [(row["size"], row["count"], row["traceback"][-1]["filename"], row["traceback"][-1]["function"])
                        for row in self.rows("live", key)["statistics"]]
            found = [(int(row["size"]), int(row["count"]), row["filename"], row["function"]) for row in table]
            self.equal("csv by " + key, expected, found)

    def check_folded(self):
        for figure in ("live", "peak", "ever"):
            lines = self.export("folded", "-f", figure).decode("utf-8").splitlines()
            rows = [row for row in self.rows(figure, "traceback", *ALL)["statistics"] if row["size"]]
            self.equal("folded " + figure, [(row["size"], len(row["traceback"])) for row in rows],
                       [(int(line.rpartition(" ")[2]), line.count(";") + 1) for line in lines])

    def check_speedscope(self):
        document = json.loads(self.export("speedscope").decode("utf-8"))
        frames = document["shared"]["frames"]
        self.equal("profiles", ["live bytes", "peak bytes", "ever bytes"], [one["name"] for one in document["profiles"]])
        for figure, profile in zip(("live", "peak", "ever"), document["profiles"]):
            total = self.rows(figure, "traceback", *ALL)["total"]["size"]
            self.equal("end of " + figure, total, profile["endValue"])
            self.equal("weights of " + figure, total, sum(profile["weights"]))
            self.equal("samples of " + figure, len(profile["weights"]), len(profile["samples"]))
            for sample in profile["samples"]:
                self.equal("frames", True, all(0 <= i < len(frames) for i in sample) and len(sample) > 0)

    def check_pprof(self):
        profile = Profile(self.export("pprof"))
        self.equal("sample types", SAMPLE_TYPES, profile.types)
        self.equal("units", ["bytes", "count", "bytes", "count", "bytes"], profile.units)
        self.equal("default", "live_bytes", profile.default)
        for figure, size, count in (("live", 0, 1), ("ever", 2, 3), ("peak", 4, None)):
            rows = self.rows(figure, "traceback", *ALL)
            sums = collections.Counter()
            for values, frames, _ in profile.samples:
                sums[tuple(line for _, _, line in frames)] += values[size]
                self.equal("values of a sample", 5, len(values))
            expected = collections.Counter()
            for row in rows["statistics"]:
                expected[tuple(frame["lineno"] for frame in row["traceback"])] += row["size"]
            self.equal("pprof " + figure, +expected, +sums)
            if count is not None:
                self.equal("blocks " + figure, rows["total"]["count"], sum(one[0][count] for one in profile.samples))
        totals = collections.Counter()
        for values, _, labels in profile.samples:
            totals[labels["domain"]] += values[0]
        for domain in totals:
            self.equal(domain, self.rows("live", "lineno", "--domain", domain)["total"]["size"], totals[domain])

    def check_pickle(self):
        """As many traces as blocks, and of the size of each where the snapshot lists them."""
        for arguments in ((), ("--domain", "mem"), ("--domain", "all,mmap")):
            with tempfile.TemporaryDirectory() as folder:
                target = os.path.join(folder, "pickle")
                self.export("pickle", "-o", target, *arguments)
                traces = tracemalloc.Snapshot.load(target).traces
            total = self.rows("live", "traceback", *arguments)["total"]
            self.equal("pickle's sums", (total["size"], total["count"]), (sum(trace.size for trace in traces), len(traces)))
            domains = arguments or ("--domain", "python")
            listed = subprocess.run((self.report, "blocks", "--format", "json", self.path) + domains,
                                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            if listed.returncode == 0:
                blocks = json.loads(listed.stdout.decode("utf-8"))["blocks"]
                self.equal("pickle's sizes", sorted((block["size"], block["traceback"][-1]["lineno"]) for block in blocks),
                           sorted((trace.size, trace.traceback[-1].lineno) for trace in traces))

    def check_go(self):
        """Go's own reader, where it is installed: each function by its name."""
        names = {name for values, frames, _ in Profile(self.export("pprof")).samples if values[0] for name, _, _ in frames}
        with tempfile.NamedTemporaryFile(suffix=".pb.gz") as file:
            file.write(self.export("pprof"))
            file.flush()
            for name in SAMPLE_TYPES:
                output = run("go", "tool", "pprof", "-top", "-nodecount=10000", "-nodefraction=0", "-sample_index=" + name,
                             file.name).decode("utf-8")
                self.equal("go tool pprof", True, "Type: " + name in output)
                if name == "live_bytes":
                    self.equal("functions", names, {line.split(None, 5)[5] for line in output.splitlines()
                                                    if re.match(r"\s+\S+\s+[0-9.]+%", line)})


def has_go():
    try:
        return subprocess.run(["go", "tool", "pprof", "-h"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=60).returncode in (0, 2)
    except (OSError, subprocess.TimeoutExpired):
        return False


def main():
    os.environ["LC_ALL"] = "C.UTF-8"
    checks, go = 0, has_go()
    for path in sys.argv[2:]:
        test = Test(sys.argv[1], path)
        for check in (test.check_json, test.check_csv, test.check_folded, test.check_speedscope, test.check_pprof,
                      test.check_pickle):
            check()
        if go:
            test.check_go()
        checks += test.checks
    print("%d checks, go tool pprof %s" % (checks, "too" if go else "is not installed"))
    return 0 if checks else 1


if __name__ == "__main__":
    sys.exit(main())
