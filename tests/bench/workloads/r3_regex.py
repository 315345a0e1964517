# SPDX-License-Identifier: MIT
# stresses: regular expressions over a log: matches with groups, substitutions by a function, many short strings
# sizes: full=25 counted=2 smoke=1
import re
import sys

LINES = 4000
LINE = re.compile(r'(?P<host>\S+) \S+ \S+ \[(?P<time>[^]]+)\] "(?P<verb>[A-Z]+) (?P<path>\S+) HTTP/1\.[01]" '
                  r'(?P<status>\d{3}) (?P<size>\d+|-)')
NUMBER = re.compile(r"\d+")
WORD = re.compile(r"[A-Za-z]+|\d+")


def make_log():
    return "\n".join('10.0.%d.%d - - [01/Jan/2024:10:%02d:00 +0000] "GET /shop/item/%d?page=%d HTTP/1.1" %d %d' %
                     (i % 256, i % 97, i % 60, i, i % 9, 200 + i % 3 * 100, i * 37) for i in range(LINES))


def analyse(log):
    found = {}
    for line in log.splitlines():
        fields = LINE.match(line).groupdict()
        path = NUMBER.sub(lambda match: "<%d>" % len(match.group()), fields["path"])
        found.setdefault((path, fields["status"]), []).append(int(fields["size"]))
    return found, len(WORD.findall(log))


text = make_log()
for _ in range(int(sys.argv[1])):
    result = analyse(text)
