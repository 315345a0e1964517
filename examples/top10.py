# SPDX-License-Identifier: MIT
"""Top 10: the lines that use the most memory when the program ends.

    LD_PRELOAD=libtracemalloc.so python3 examples/top10.py
    tm-report --limit 10 tracemalloc.*.tms
    tm-report --style=tracemalloc --limit 10 tracemalloc.*.tms      # as Python's own module prints it

The program knows nothing of it.
"""


class Order:
    def __init__(self, number):
        self.number = number
        self.items = ["item %d.%d" % (number, item) for item in range(5)]


orders = [Order(number) for number in range(1000)]
by_number = {order.number: order for order in orders}
report = "\n".join(item for order in orders for item in order.items)
squares = [number ** 2 for number in range(5000)]
print(len(by_number), len(report), squares[-1])
