# SPDX-License-Identifier: MIT
# stresses: pickle of objects with state, shared references and containers, there and back; blocks made by C code
# sizes: full=20 counted=3 smoke=1
import collections
import datetime
import pickle
import sys

CUSTOMERS = 200
ORDERS = 8

Line = collections.namedtuple("Line", "article amount price")


class Order(object):
    def __init__(self, number, customer):
        self.number = number
        self.customer = customer
        self.day = datetime.date(2020, 1 + number % 12, 1 + number % 28)
        self.lines = [Line("article-%d" % (number * 7 + i), i + 1, 1.5 * i) for i in range(5)]
        self.notes = {"printed": number % 2 == 0, "remark": u"r\u00e9f %d" % number}


def make():
    orders = []
    for number in range(CUSTOMERS):
        customer = {"name": "customer %d" % number, "tags": frozenset(["a", "b%d" % number])}
        orders += [Order(number * ORDERS + i, customer) for i in range(ORDERS)]
    return orders


data = make()
for _ in range(int(sys.argv[1])):
    again = pickle.loads(pickle.dumps(data, 2))
