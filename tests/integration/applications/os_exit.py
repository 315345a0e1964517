# SPDX-License-Identifier: MIT
"""Ends without finalisation."""
import os
import sys

blocks = [("%05d" % index) * 200 for index in range(3000)]  # top
sys.stdout.write("leaving\n")
sys.stdout.flush()
os._exit(7)
