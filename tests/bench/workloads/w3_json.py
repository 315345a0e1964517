# SPDX-License-Identifier: MIT
# stresses: allocations made by C code (json's encoder and decoder) under few Python lines; mid-sized nested data
# sizes: full=80000 counted=4000 smoke=500
import json
import sys

ROUNDS = 3


def item(i):
    return {
        "id": i,
        "name": "name-%d" % i,
        "tags": ["a%d" % (i % 97), "b", "c%d" % i],
        "pos": {"x": i * 0.5, "y": i * 1.25, "z": None},
        "ok": i % 2 == 0,
        "score": i * 17,
    }


def there_and_back(size):
    document = {"items": [item(i) for i in range(size)]}
    for _ in range(ROUNDS):
        text = json.dumps(document)
        again = json.loads(text)
    return len(again["items"])


there_and_back(int(sys.argv[1]))
