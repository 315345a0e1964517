# SPDX-License-Identifier: MIT
"""json, pickle, struct, csv, xml and zlib: parsed, changed and written."""
from measuring import measure

import csv
import io
import json
import pickle
import struct
import xml.dom.minidom
import xml.etree.ElementTree
import zlib

records = [{"id": number, "name": "name %d" % number, "values": [number * 0.5, None, True, str(number)]}
           for number in range(120)]
text = json.dumps(records)
decoded = json.loads(text)
pretty = json.dumps(decoded[:20], indent=2, sort_keys=True)
pure = list(json.JSONEncoder(indent=1).iterencode(decoded[:5]))

pickles = [pickle.dumps(records, protocol) for protocol in range(3)]
unpickled = [pickle.loads(data) for data in pickles]

packed = [struct.pack("<IdH", number, number * 1.5, number % 100) for number in range(100)]
unpacked = [struct.unpack("<IdH", data) for data in packed]

output = io.StringIO()
writer = csv.DictWriter(output, ["id", "name"], extrasaction="ignore")
writer.writeheader()
writer.writerows(records)
rows = list(csv.reader(io.StringIO(output.getvalue())))
dicts = list(csv.DictReader(io.StringIO(output.getvalue())))

root = xml.etree.ElementTree.Element("root", version="1")
for record in records[:60]:
    child = xml.etree.ElementTree.SubElement(root, "record", id=str(record["id"]))
    child.text = record["name"]
document = xml.etree.ElementTree.tostring(root)
parsed = xml.etree.ElementTree.fromstring(document)
found = [(one.get("id"), one.text) for one in parsed.iter("record")]
minidom = xml.dom.minidom.parseString(document)
attributes = [node.getAttribute("id") for node in minidom.getElementsByTagName("record")]

squeezed = [zlib.compress(text.encode(), level) for level in (1, 9)]
restored = zlib.decompress(squeezed[0])
lines = io.BytesIO(text.encode()).read(500)

measure()
