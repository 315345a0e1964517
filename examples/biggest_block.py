# SPDX-License-Identifier: MIT
"""Traceback of the biggest block: who asked for it, call by call.

    TRACEMALLOC_NFRAME=25 LD_PRELOAD=libtracemalloc.so python3 examples/biggest_block.py
    tm-report traceback --limit 1 tracemalloc.*.tms
"""


def read_table(rows):
    return [column(rows, number) for number in range(3)]


def column(rows, number):
    if number == 1:
        return bytearray(rows * 100)
    return bytearray(rows)


def load():
    return {"table": read_table(50000)}


data = load()
print(sum(len(part) for part in data["table"]))
