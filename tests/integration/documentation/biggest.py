# SPDX-License-Identifier: MIT
"""The traceback of the biggest block, several calls deep."""
from marking import mark


class Loader(object):
    def __init__(self):
        self.parts = []

    def load(self, count):
        for number in range(count):
            self.part(number)

    def part(self, number):
        self.parts.append(make(number))


def make(number):
    if number % 2:
        return bytes(5000)
    return "x" * 3000 + str(number)


def main():
    loader = Loader()
    loader.load(400)
    big = bytes(3000000)
    return loader, big


kept = main()
mark("one")
