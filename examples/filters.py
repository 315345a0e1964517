# SPDX-License-Identifier: MIT
"""Filters: only the files that matter.

    TRACEMALLOC_NFRAME=10 LD_PRELOAD=libtracemalloc.so python3 examples/filters.py
    tm-report --include '*/filters.py' tracemalloc.*.tms                # allocated by this file itself
    tm-report --exclude '<frozen importlib*' tracemalloc.*.tms          # without the import machinery
    tm-report -I '*/filters.py' -g filename tracemalloc.*.tms           # by whatever this file called
    tm-report --include '*/json/*' --exclude '*/json/encoder.py' tracemalloc.*.tms
"""
import json
import string

template = string.Template("name $name of $total")
names = [template.substitute(name=number, total=3000) for number in range(3000)]
text = json.dumps({name: [name] * 3 for name in names}, indent=1)
decoded = json.loads(text)
print(len(text), len(decoded))
