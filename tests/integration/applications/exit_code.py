# SPDX-License-Identifier: MIT
"""sys.exit with a code, out of a function, with an exit handler."""
import atexit
import sys

blocks = [("%05d" % index) * 200 for index in range(3000)]  # top
atexit.register(lambda: sys.stdout.write("last words\n"))
sys.exit(42)
