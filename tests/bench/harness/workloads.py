# SPDX-License-Identifier: MIT
"""The programs that are run: each file of workloads/ says in its head what it stresses, its three sizes, and which
modules it needs."""
import os
import re

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "workloads")
SIZES = ("full", "counted", "smoke")


class Workload:
    def __init__(self, name, path, stresses, sizes, needs):
        self.name = name
        self.path = path
        self.stresses = stresses
        self.sizes = sizes
        self.needs = needs

    def arguments(self, size):
        return [self.path, str(self.sizes[size])]

    def unusable_with(self, interpreter):
        """Why this interpreter cannot run it, or None."""
        missing = [name for name in self.needs if not interpreter.can_import(name)]
        return "it has no " + ", ".join(missing) if missing else None


def _read(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    stresses = re.search("^# stresses: (.+)$", text, re.MULTILINE)
    needs = re.search("^# needs: (.+)$", text, re.MULTILINE)
    sizes = re.search("^# sizes: (.+)$", text, re.MULTILINE)
    found = {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", sizes.group(1))} if sizes else {}
    if stresses is None or set(found) != set(SIZES):
        raise ValueError("%s: its head must say '# stresses:' and '# sizes: full= counted= smoke='" % path)
    return Workload(os.path.basename(path)[:-3], path, stresses.group(1), found,
                    needs.group(1).split() if needs else [])


def find(wanted=None):
    """All workloads in the order of their names, or those whose names begin with one of wanted."""
    names = sorted(name for name in os.listdir(FOLDER) if name.endswith(".py"))
    every = [_read(os.path.join(FOLDER, name)) for name in names]
    if not wanted:
        return every
    chosen = [workload for workload in every if any(workload.name.startswith(prefix) for prefix in wanted)]
    for prefix in wanted:
        if not any(workload.name.startswith(prefix) for workload in every):
            raise ValueError("no workload begins with '%s'" % prefix)
    return chosen
