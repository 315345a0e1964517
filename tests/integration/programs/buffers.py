# SPDX-License-Identifier: MIT
"""bytes, bytearray, memoryview, array, mmap, io: blocks that are reallocated, shrink in place and move."""
from measuring import measure

import array
import io
import mmap

grown = []
for count in range(40):
    data = bytearray()
    for number in range(count * 13):
        data.append(number % 256)
        if number % 29 == 0:
            data += b"0123456789" * 3
    del data[:count]
    grown.append(data)
shrunk = bytearray(100000)
del shrunk[500:]
sliced = [bytes(range(200))[number:number + 20] for number in range(60)]
views = [memoryview(data)[1:3] for data in grown[5:25]]
copies = [view.tobytes() for view in views]
arrays = [array.array("d", (value / 3 for value in range(number))) for number in range(40)]
for one in arrays:
    one.append(1.5)
    one.extend([2.5] * 10)
whole = array.array("i", range(5000))
del whole[100:]
streams = []
for number in range(20):
    stream = io.BytesIO()
    for turn in range(number * 10):
        stream.write(b"line %d\n" % turn)
    stream.truncate(number)
    streams.append(stream)
text = io.StringIO()
for number in range(300):
    text.write("number %d\n" % number)
joined = b"".join(b"%d;" % number for number in range(400))
large = [bytes(size) for size in (511, 512, 513, 4096, 65536, 300000)]
mapped = mmap.mmap(-1, 8192)
mapped[:5] = b"hello"
part = mapped[:1000]
repeated = [b"ab" * number for number in range(50)]
numbers = [number.to_bytes(16, "big") for number in range(100)]
hexes = [data.hex() for data in numbers[:30]]

measure()
