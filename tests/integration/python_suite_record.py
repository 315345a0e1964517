# SPDX-License-Identifier: MIT
"""The runs of Python's own test suite, kept in a file while they are made: what was stopped goes on where it was.

One JSON object a line, appended: the first says what library it is of, each other is one run of one module."""
import collections
import hashlib
import json
import threading

Result = collections.namedtuple("Result", "outcomes details ours snapshots broken seconds")


class Record(object):
    """Without a path it only remembers."""

    def __init__(self, path, library):
        self.path = path
        self.lock = threading.Lock()
        self.runs = collections.defaultdict(list)
        with open(library, "rb") as stream:
            made_with = hashlib.sha256(stream.read()).hexdigest()
        if path:
            self.read(made_with)

    def read(self, made_with):
        lines = open(self.path, "r").read().splitlines(True) if self.exists() else []
        if lines and json.loads(lines[0]).get("library") != made_with:
            raise ValueError("%s: holds runs of another library: remove it, or name another file" % self.path)
        whole = [line for line in lines if line.endswith("\n")]
        for line in whole[1:]:
            one = json.loads(line)
            self.runs[one.pop("python"), one.pop("module"), one.pop("traced")].append(Result(**one))
        if len(whole) != len(lines) or not lines:  # stopped within a line, or new
            with open(self.path, "w") as stream:
                stream.writelines(whole or [json.dumps({"library": made_with}) + "\n"])

    def exists(self):
        try:
            open(self.path).close()
        except FileNotFoundError:
            return False
        return True

    def of(self, label, module, is_traced):
        return self.runs[label, module, is_traced]

    def add(self, label, module, is_traced, result):
        with self.lock:
            self.runs[label, module, is_traced].append(result)
            if self.path:
                with open(self.path, "a") as stream:
                    stream.write(json.dumps(dict(result._asdict(), python=label, module=module, traced=is_traced)) + "\n")
