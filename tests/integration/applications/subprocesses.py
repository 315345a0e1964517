# SPDX-License-Identifier: MIT
"""Runs other programs: one that is not there, a shell, a Python without tracing, and replaces itself at the end."""
import os
import subprocess
import sys

blocks = [("%05d" % index) * 200 for index in range(3000)]  # top
try:
    subprocess.call(["/no/such/program"])
except OSError as error:
    print("no program:", error.errno)
print(subprocess.check_output(["sh", "-c", "echo shell; exit 0"]))
print(subprocess.call([sys.executable, "-c", "raise SystemExit(3)"]))
print(subprocess.call(["sh", "-c", "kill -9 $$"]))
