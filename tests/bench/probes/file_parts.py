# SPDX-License-Identifier: MIT
"""What each part of a snapshot takes on the disk, and what that is for each distinct traceback, as one line of JSON.

file_parts.py SNAPSHOT...

A traceback is distinct that has counters; names are the strings.  The directory of the file says it all: nothing is
unpacked.  include/tracemalloc/snapshot_format.h draws it.
"""
import json
import os
import struct
import sys

MAGIC = b"\x89TMS\r\n\x1a\n"
NAMES = {1: "meta", 2: "strings", 3: "frames", 4: "tracebacks", 5: "counters", 6: "sizes", 7: "modules", 8: "blocks",
         9: "native_frames"}
HEAD = struct.Struct("<8sIIII")
ENTRY = struct.Struct("<IIQQQQII")


def parts(path):
    """{name: (bytes stored, items)}; ValueError when it is no snapshot."""
    with open(path, "rb") as file:
        head = file.read(HEAD.size)
        if len(head) < HEAD.size or not head.startswith(MAGIC):
            raise ValueError("%s: not a snapshot" % path)
        count = HEAD.unpack(head)[3]
        directory = file.read(count * ENTRY.size)
    found = {}
    for kind, _codec, _offset, stored, _raw, items, _checksum, _unused in ENTRY.iter_unpack(directory):
        found[NAMES.get(kind, str(kind))] = (stored, items)
    return found


def figures(path):
    found = parts(path)
    size = os.stat(path).st_size
    distinct = found["counters"][1]
    # Lists of single blocks grow with the heap, and are there only when they were asked for.
    beyond = size - found["strings"][0] - found.get("blocks", (0, 0))[0]
    return {"file_bytes": size, "name_bytes": found["strings"][0], "distinct_tracebacks": distinct,
            "bytes_per_traceback": round(beyond / distinct, 2) if distinct else None,
            "parts": {name: stored for name, (stored, _items) in found.items()}}


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(json.dumps(figures(name)))
