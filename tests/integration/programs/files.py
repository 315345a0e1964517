# SPDX-License-Identifier: MIT
"""Files and what is written to them: folders, pathlib, zip, tar, gzip, mmap, shelve, configparser, logging, text layers."""
from measuring import measure

import configparser
import gzip
import io
import logging
import mmap
import os
import pathlib
import shutil
import tarfile
import zipfile

# The same name in each run: the size of a path's hash, which it keeps, is by chance.
root = pathlib.Path("tm-files")
shutil.rmtree(str(root), ignore_errors=True)
root.mkdir()
lines = ["line %04d: %s\n" % (number, "text " * (number % 7)) for number in range(200)]

for number in range(8):
    folder = root / ("folder %d" % number)
    folder.mkdir()
    for part in range(3):
        with open(str(folder / ("%d.txt" % part)), "w") as output:
            output.writelines(lines[number * 10:number * 10 + 20])

walked = [(os.path.basename(where), sorted(folders), sorted(names)) for where, folders, names in sorted(os.walk(str(root)))]
sizes = {entry.name: entry.stat().st_size for entry in sorted(os.scandir(str(root / "folder 3")), key=lambda one: one.name)}
found = sorted(path.name for path in root.glob("*/1.txt"))
read = [path.read_text() for path in sorted(root.rglob("2.txt"))]
parts = [path.relative_to(root).with_suffix(".csv").parts for path in sorted(root.rglob("0.txt"))]

memory = io.BytesIO()
with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
    for path in sorted(root.rglob("*.txt")):
        archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes())
with zipfile.ZipFile(memory) as archive:
    names = archive.namelist()
    contents = [archive.read(name) for name in names[:3]]

tarred = io.BytesIO()
with tarfile.open(fileobj=tarred, mode="w") as archive:
    for number, line in enumerate(lines[:30]):
        entry = tarfile.TarInfo("entry-%d" % number)
        entry.size = len(line)
        archive.addfile(entry, io.BytesIO(line.encode()))
tarred.seek(0)
with tarfile.open(fileobj=tarred) as archive:
    members = archive.getmembers()
    extracted = [archive.extractfile(member).read() for member in members[:5]]

squeezed = gzip.compress("".join(lines).encode())
unsqueezed = gzip.decompress(squeezed).splitlines()

with open(str(root / "folder 0" / "0.txt"), "r+b") as stream:
    mapped = mmap.mmap(stream.fileno(), 0)
pieces = [mapped[start:start + 20] for start in range(0, len(mapped), 40)]
position = mapped.find(b"line 0003")

configuration = configparser.ConfigParser()
configuration.read_string("[one]\na = 1\nb = %(a)s 2\n[two]\nc: long\n  text\n")
values = {name: dict(configuration[name]) for name in configuration.sections()}

captured = io.StringIO()
logger = logging.getLogger("files")
logger.propagate = False
handler = logging.StreamHandler(captured)
handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
logger.addHandler(handler)
for number in range(40):
    logger.warning("number %d of %s", number, ["some"] * (number % 3))
logged = captured.getvalue().splitlines()

shutil.rmtree(str(root))
measure()
