# SPDX-License-Identifier: MIT
"""sqlite3, decimal, fractions, datetime: objects that C modules make, and their callbacks."""
from measuring import measure

import datetime
import decimal
import fractions
import sqlite3
import uuid

connection = sqlite3.connect(":memory:")
connection.execute("create table item (id integer primary key, name text, price real, data blob)")
connection.executemany("insert into item (name, price, data) values (?, ?, ?)",
                       [("item %d" % number, number * 1.25, b"x" * (number % 50)) for number in range(200)])
connection.create_function("twice", 1, lambda value: value * 2)
rows = connection.execute("select id, name, price, data from item order by name").fetchall()
doubled = connection.execute("select twice(name), twice(price) from item").fetchmany(50)
connection.row_factory = sqlite3.Row
named = [dict(row) for row in connection.execute("select * from item limit 30")]
cursor = connection.execute("select name from item")
some = [next(cursor)["name"] for _ in range(20)]
try:
    connection.execute("select nothing from nowhere")
except sqlite3.Error as error:
    failure = error

context = decimal.Context(prec=40)
decimals = [context.divide(decimal.Decimal(number + 1), decimal.Decimal(7)) for number in range(120)]
with decimal.localcontext() as local:
    local.prec = 100
    roots = [decimal.Decimal(number).sqrt() for number in range(40)]
written = [str(value) for value in decimals[:50]]
parts = [fractions.Fraction(number, 97) + fractions.Fraction(1, number + 1) for number in range(60)]
start = datetime.datetime(2020, 1, 31, 12, 30, tzinfo=datetime.timezone.utc)
dates = [start + datetime.timedelta(days=number, seconds=number * 61) for number in range(100)]
texts = [date.isoformat() for date in dates[:50]]
formatted = [date.strftime("%d.%m.%Y") for date in dates[:20]]
differences = [later - earlier for earlier, later in zip(dates, dates[1:])]
names = [uuid.uuid5(uuid.NAMESPACE_DNS, "name%d" % number) for number in range(30)]
big = [3 ** number for number in range(200)]

measure()
