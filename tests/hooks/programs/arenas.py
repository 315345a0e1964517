# SPDX-License-Identifier: MIT
"""So many small objects, made on one line, that the interpreter's table of arenas grows several times meanwhile; and
threads, whose frames have places that come in the same way as arenas do."""
import sys
import threading


def fill(count):
    return [float(number) for number in range(count)]


kept = []
for _ in range(64):
    thread = threading.Thread(target=len, args=((),))
    thread.start()
    thread.join()
    kept.append(fill(25000))
print(sum(map(len, kept)))
sys.stdout.flush()
