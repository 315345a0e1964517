# SPDX-License-Identifier: MIT
# stresses: a test suite: many small test cases with fixtures, mocks, failures with tracebacks and captured output
# sizes: full=2500 counted=120 smoke=10
# needs: unittest.mock
import io
import sys
import unittest
from unittest import mock


class Basket(object):
    def __init__(self, prices):
        self.prices = prices
        self.lines = []

    def add(self, name, count=1):
        if count <= 0:
            raise ValueError("count must be positive, not %r" % count)
        self.lines.append((name, count, self.prices.price_of(name)))

    def total(self):
        return sum(count * price for _name, count, price in self.lines)


class BasketTest(unittest.TestCase):
    def setUp(self):
        self.prices = mock.Mock()
        self.prices.price_of.side_effect = lambda name: len(name) * 10
        self.basket = Basket(self.prices)

    def test_total(self):
        for count in (1, 2, 3):
            with self.subTest(count=count):
                self.basket.add("tea", count)
        self.assertEqual(self.basket.total(), 180)

    def test_asks_for_each_price(self):
        self.basket.add("coffee")
        self.prices.price_of.assert_called_once_with("coffee")

    def test_refuses(self):
        with self.assertRaisesRegex(ValueError, "positive"):
            self.basket.add("tea", 0)

    def test_that_fails(self):
        self.basket.add("tea")
        self.assertEqual(self.basket.lines, [("tea", 2, 30)])


def run(size):
    suite = unittest.TestSuite()
    for _ in range(size // 4 + 1):
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(BasketTest))
    result = unittest.TextTestRunner(stream=io.StringIO(), verbosity=2).run(suite)
    return len(result.failures) == size // 4 + 1 and not result.errors


if not run(int(sys.argv[1])):
    sys.exit("the suite did not end as it should")
