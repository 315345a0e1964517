# SPDX-License-Identifier: MIT
"""Eight threads allocate at once."""
import threading

kept = [None] * 8


def work(number):
    mine = [None] * 500
    for index in range(500):
        mine[index] = ("%05d" % index) * 200  # top
    kept[number] = mine


threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print([len(mine) for mine in kept])
