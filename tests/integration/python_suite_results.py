# SPDX-License-Identifier: MIT
"""What became of the test methods of a module of Python's own test suite: read from the JUnit file that its runner
writes, or from what unittest prints where the runner writes none (2.7)."""
import re
import xml.etree.ElementTree

WHOLE = "(the module)"


def outcome(case):
    """What became of one test method, and the last lines of its traceback."""
    for tag, word in (("error", "failed"), ("failure", "failed"), ("skipped", "skipped"), ("output", "failed as expected")):
        found = case.find(tag)
        if found is not None:
            return word, "\n".join((found.text or "").strip().splitlines()[-6:])
    return ("succeeded unexpectedly" if case.get("outcome") or case.find("outcome") is not None else "passed"), ""


def read_results(path):
    """{test method: outcome}, {test method: traceback} of a JUnit file; a method that runs twice has both outcomes."""
    outcomes, details = {}, {}
    try:
        tree = xml.etree.ElementTree.parse(path)
    except (OSError, xml.etree.ElementTree.ParseError):
        return outcomes, details  # the run did not get so far: its exit code tells
    for case in tree.iter("testcase"):
        name = case.get("name")
        if not name:
            continue  # a failed subtest leaves no result of its method: "missing" is what is compared
        word, detail = outcome(case)
        outcomes[name] = " and ".join(sorted(set(outcomes.get(name, word).split(" and ") + [word])))
        if detail:
            details[name] = detail
    return outcomes, details


PRINTED = re.compile(r"^(?P<name>\w+) \((?P<place>[\w.]+)\)(?:\n.*)? \.\.\. (?P<end>.*)$", re.M)


def read_printed(text):
    """The same of what "python -m test -v" prints.  What other output tears apart counts as passed, unless unittest
    repeats it at its end; a method that it never began is missing."""
    outcomes, details = {}, {}
    for match in PRINTED.finditer(text):
        skipped = match.group("end").startswith("skipped")
        outcomes[match.group("place") + "." + match.group("name")] = "skipped" if skipped else "passed"
    for name, detail in failed_subtests(text):
        outcomes[name], details[name] = "failed", detail
    return outcomes, details


def module_end(end, outcomes, text):
    """What became of a module.  The exit code of one that is skipped whole differs between releases."""
    ran = set(outcomes.values()) - {"skipped"}
    if end in ("exit code 0", "exit code 4") and not ran and re.search(r"\bskipped\b|^No tests ran", text, re.M):
        return "skipped"
    return {"exit code 0": "passed"}.get(end, end)


def failed_subtests(text):
    """The tracebacks that unittest prints, by test method: those of subtests are in no result."""
    for block in re.split(r"^=+\n(?=FAIL: |ERROR: )", text, flags=re.M)[1:]:
        head = re.match(r"\w+: (\w+) \(([\w.]+)\)", block)
        if head:
            name, where = head.groups()
            body = re.split(r"^(?:-+\nRan|=+\n)", block, flags=re.M)[0]
            yield where if where.endswith("." + name) else where + "." + name, "\n".join(body.strip().splitlines()[-6:])
