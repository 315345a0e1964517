# SPDX-License-Identifier: MIT
"""Numbers: big integers, floats, complex, fractions, decimals, random draws, dates, statistics, sequences of itertools."""
from measuring import measure

import cmath
import datetime
import decimal
import fractions
import itertools
import math
import operator
import random
import statistics

factorials = [1]
for number in range(1, 120):
    factorials.append(factorials[-1] * number)
powers = [pow(3, exponent, 10 ** 40 + exponent) for exponent in range(200, 320)]
shifted = [1 << step for step in range(0, 2000, 37)]
texts = [str(value) for value in factorials[60:100]]
parsed = [int(text) * -1 for text in texts]
divided = [divmod(big, 10 ** 15 + 7) for big in factorials[50:90]]
hashes = {hash(value): value for value in factorials}

floats = [math.sin(step / 10.0) * math.exp(step / 50.0) for step in range(300)]
total = math.fsum(floats)
halves = [value.as_integer_ratio() for value in floats[:40]]
rounded = [round(value, 3) for value in floats[:80]]
turns = [cmath.exp(1j * value) for value in floats[:60]]
polar = [cmath.polar(value) for value in turns]


def converge(limit):
    """Locals that are replaced again and again."""
    low, high, kept = fractions.Fraction(1), fractions.Fraction(2), []
    for _ in range(limit):
        middle = (low + high) / 2
        if middle * middle < 2:
            low = middle
        else:
            high = middle
        kept.append(middle)
    return kept


steps = converge(25)
sums = list(itertools.accumulate((fractions.Fraction(1, part) for part in range(1, 30)), operator.add))

with decimal.localcontext() as context:
    context.prec = 60
    roots = [decimal.Decimal(number).sqrt() for number in range(2, 40)]
    scaled = sorted(root.quantize(decimal.Decimal("0.0001")) for root in roots)

drawn = random.Random(7)
numbers = [drawn.random() for _ in range(200)]
picked = [drawn.sample(range(1000), 5) for _ in range(20)]
drawn.shuffle(picked)
middle = statistics.median(numbers), statistics.pstdev(numbers[:50])

start = datetime.datetime(2020, 2, 28, 23, 30, tzinfo=datetime.timezone.utc)
days = [start + datetime.timedelta(hours=7 * step) for step in range(60)]
shown = [day.isoformat() for day in days] + [day.strftime("%d.%m.%Y") for day in days[:10]]
pairs = list(itertools.combinations("abcdefgh", 3))
groups = {size: list(group) for size, group in itertools.groupby(range(100), key=lambda number: number // 9)}
left, right = itertools.tee(iter(range(150)))
ahead = list(itertools.islice(left, 100))
products = dict(zip(itertools.product(range(6), repeat=2), itertools.count(1000)))

measure()
