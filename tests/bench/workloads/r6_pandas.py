# SPDX-License-Identifier: MIT
# stresses: pandas: group-by, merge and string columns; few big native blocks, many small ones; a heavy import
# sizes: full=12 counted=1 smoke=1
# needs: pandas
import sys

import pandas

ROWS = 40000


def make(shift):
    return pandas.DataFrame({
        "shop": ["shop %d" % (i % 40) for i in range(ROWS)],
        "day": [(i + shift) % 365 for i in range(ROWS)],
        "sold": [float(i % 1000) for i in range(ROWS)],
    })


def analyse(frame):
    by_shop = frame.groupby(["shop", "day"]).agg({"sold": ["sum", "mean"]}).reset_index()
    by_shop.columns = ["shop", "day", "sum", "mean"]
    names = frame["shop"].str.upper().value_counts()
    return len(frame.merge(by_shop, on=["shop", "day"])), len(names)


for i in range(int(sys.argv[1])):
    result = analyse(make(i))
