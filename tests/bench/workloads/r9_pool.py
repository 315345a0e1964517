# SPDX-License-Identifier: MIT
# stresses: a pool of eight threads that parse, compress and hash documents: blocks freed by another thread than made them
# sizes: full=4000 counted=200 smoke=16
# needs: concurrent.futures
import concurrent.futures
import hashlib
import json
import sys
import zlib

THREADS = 8


def work(number):
    document = {"id": number, "words": ["word-%d" % (number * i % 1009) for i in range(200)]}
    packed = zlib.compress(json.dumps(document).encode())
    again = json.loads(zlib.decompress(packed).decode())
    return hashlib.sha256(packed).hexdigest(), again["words"][:5]


with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
    found = dict(pool.map(work, range(int(sys.argv[1]))))
