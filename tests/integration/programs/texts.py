# SPDX-License-Identifier: MIT
"""Strings built, sliced, joined, formatted, encoded; regular expressions; an e-mail message."""
from measuring import measure

import email.message
import email.parser
import re
import string
import textwrap

words = ("lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor " * 12).split()
joined = [" ".join(words[start:start + 9]) for start in range(0, len(words), 4)]
slices = [joined[0][start:] for start in range(20)]
growing = ""
for word in words:
    growing += word + ","
doubled = []
text = "x"
for _ in range(10):
    text += text
    doubled.append(text)
formatted = ["%s=%05d %r" % (word, index, word) for index, word in enumerate(words[:60])]
braces = ["{0!r:>20}|{1:.3f}".format(word, index / 3) for index, word in enumerate(words[:60])]
literals = [f"{word}-{index:04x}-{[index]}" for index, word in enumerate(words[:60])]
upper = [word.upper() for word in words]
wide = ["\u4e2d\u6587" * number for number in range(30)]
astral = ["\U0001f600" + word for word in words[:30]]
encoded = [word.encode(codec) for word in wide for codec in ("utf-8", "utf-16")]
decoded = [data.decode("utf-8", "replace") for data in encoded[:30]]
lines = "\n".join(joined).splitlines(True)
replaced = [line.replace("dolor", "DOLOR" * 3) for line in lines]
partitions = [line.partition(" ") for line in lines]
translated = [word.translate({ord("o"): "0", ord("e"): None}) for word in words[:50]]
found = [match.groups() for match in re.finditer(r"(\w+) (?P<second>\w+)", joined[1])]
patterns = [re.compile("(a|b)%d[x-z]*" % number) for number in range(15)]
everything = re.findall("[^ ]+", growing.replace(",", " "))
template = string.Template("$who likes ${what}")
substituted = [template.substitute(who=word, what=index) for index, word in enumerate(words[:20])]
wrapped = textwrap.wrap(" ".join(words), 40)

message = email.message.EmailMessage()
message["Subject"] = "Gr\u00fc\u00dfe"
message["From"] = "somebody@example.org"
message["To"] = ", ".join("user%d@example.org" % number for number in range(15))
message.set_content("\n".join(wrapped))
message.add_attachment(b"\x00\x01" * 400, maintype="application", subtype="octet-stream")
flat = message.as_bytes()
parsed = email.parser.BytesParser().parsebytes(flat)
headers = [(name, value) for name, value in parsed.items()]
payloads = [part.get_payload(decode=True) for part in parsed.walk()]

measure()
