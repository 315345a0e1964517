# SPDX-License-Identifier: MIT
"""A small application: a parser, an interpreter, an LRU cache and a simulation, as programs really are."""
from measuring import measure

import collections
import contextlib
import re
import random


class Cache(object):
    def __init__(self, capacity):
        self.capacity = capacity
        self.entries = collections.OrderedDict()

    def get(self, key, make):
        try:
            self.entries.move_to_end(key)
            return self.entries[key]
        except KeyError:
            value = self.entries[key] = make(key)
            if len(self.entries) > self.capacity:
                self.entries.popitem(last=False)
            return value


class Node(object):
    __slots__ = ("kind", "children")

    def __init__(self, kind, *children):
        self.kind = kind
        self.children = children


class Parser(object):
    token = re.compile(r"\s*(?:(\d+\.?\d*)|(.))")

    def __init__(self, text):
        self.tokens = [match.groups() for match in self.token.finditer(text)]
        self.position = 0

    def peek(self):
        return self.tokens[self.position] if self.position < len(self.tokens) else (None, None)

    def next(self):
        token = self.peek()
        self.position += 1
        return token

    def expression(self):
        left = self.term()
        while self.peek()[1] in ("+", "-"):
            left = Node(self.next()[1], left, self.term())
        return left

    def term(self):
        left = self.factor()
        while self.peek()[1] in ("*", "/"):
            left = Node(self.next()[1], left, self.factor())
        return left

    def factor(self):
        number, sign = self.next()
        if sign == "(":
            inner = self.expression()
            self.next()
            return inner
        return Node("number", float(number))


def evaluate(node):
    if node.kind == "number":
        return node.children[0]
    left, right = (evaluate(child) for child in node.children)
    return {"+": left + right, "-": left - right, "*": left * right, "/": left / right if right else 0.0}[node.kind]


@contextlib.contextmanager
def timed(log, name):
    entry = {"name": name, "events": []}
    yield entry["events"]
    log.append(entry)


generator = random.Random(7)
log = []
cache = Cache(50)
expressions = ["(%d + %d.5) * %d - %d / (2 + %d)" % tuple(generator.randrange(100) for _ in range(5)) for _ in range(80)]
trees = []
with timed(log, "parse") as events:
    for text in expressions:
        trees.append(Parser(text).expression())
        events.append((len(text), [text[:5]]))
with timed(log, "evaluate") as events:
    values = [evaluate(tree) for tree in trees]
    events.extend([value] for value in values if value > 100)
fetched = [cache.get(generator.randrange(120), lambda key: {"key": key, "text": str(key) * 10}) for _ in range(600)]

Event = collections.namedtuple("Event", "time name data")
agenda = [Event(generator.random(), "arrive", {"customer": number}) for number in range(40)]
served = []
while agenda:
    agenda.sort()
    event = agenda.pop(0)
    if event.name == "arrive" and generator.random() < 0.7:
        agenda.append(event._replace(time=event.time + generator.random(), name="leave"))
    else:
        served.append((event.data, [event.time]))
graph = collections.defaultdict(set)
for _ in range(300):
    graph[generator.randrange(60)].add(generator.randrange(60))
reached, frontier = {0}, [0]
while frontier:
    fresh = {other for node in frontier for other in graph[node]} - reached
    reached |= fresh
    frontier = sorted(fresh)

measure()
