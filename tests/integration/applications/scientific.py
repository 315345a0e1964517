# SPDX-License-Identifier: MIT
"""numpy and pandas."""
import numpy
import pandas

matrix = numpy.arange(1000000, dtype=float).reshape(1000, 1000)  # array
product = numpy.linalg.solve(matrix[:50, :50] + numpy.eye(50) * 1e6, numpy.ones(50))
frame = pandas.DataFrame({"key": [number % 7 for number in range(5000)], "value": numpy.arange(5000) * 1.5})
grouped = frame.groupby("key").value.agg(["mean", "sum", "count"])
kept = [("%05d" % index) * 200 for index in range(30000)]  # top
print("%.6f" % product.sum())
print(grouped.to_string())
print(frame.describe().to_string())
