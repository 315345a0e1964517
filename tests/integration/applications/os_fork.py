# SPDX-License-Identifier: MIT
"""os.fork: the child goes on with the parent's memory and adds its own."""
import os
import sys

inherited = [("%05d" % index) * 200 for index in range(3000)]  # top
child = os.fork()
if child == 0:
    own = [("%05d" % index) * 200 for index in range(200)]  # child
    sys.stdout.write("child %d\n" % len(own))
    sys.stdout.flush()
    os._exit(0)
pid, status = os.waitpid(child, 0)
print("parent", pid == child, status)
