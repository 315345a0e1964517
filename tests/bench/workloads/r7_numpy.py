# SPDX-License-Identifier: MIT
# stresses: numpy: temporaries of many sizes from its own allocator and malloc, big ones mapped; arithmetic between
# sizes: full=200 counted=10 smoke=2
# needs: numpy
import sys

import numpy


def step(number):
    grid = numpy.arange(200000, dtype=float) + number
    smooth = (grid[:-2] + grid[1:-1] * 2 + grid[2:]) / 4
    parts = [numpy.sqrt(smooth[i:i + 64]) * 0.5 for i in range(0, 60000, 64)]
    return float(numpy.concatenate(parts).sum() + numpy.sort(smooth[::17]).mean())


total = sum(step(i) for i in range(int(sys.argv[1])))
