# SPDX-License-Identifier: MIT
"""The first example of the documentation: the ten lines that use the most memory."""
from marking import mark

import collections
import json


class Person:
    def __init__(self, name, age):
        self.name = name
        self.age = age


people = [Person("person %d" % number, number) for number in range(2000)]
names = {person.name: person for person in people}
text = json.dumps([person.name for person in people])
table = collections.defaultdict(list)
for person in people:
    table[person.age % 100].append(person.name.upper())

mark("one")
