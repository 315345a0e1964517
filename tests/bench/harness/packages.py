# SPDX-License-Identifier: MIT
"""What some workloads and tracers need beyond the standard library: a folder for each kind of interpreter, made by pip.

Every configuration runs with the folder on its path, 'none' too, so that they stay comparable.
"""
import contextlib
import os
import subprocess

NAMES = ("memray", "django", "numpy", "pandas")


def folder_of(parent, interpreter):
    return os.path.join(parent, interpreter.tag)


def _pip(interpreter, folder, names, environment):
    # Only what is built already: a compiler's work, or its failure, is nobody's measurement.
    command = [interpreter.path, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary",
               ":all:", "--target", folder] + list(names)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               universal_newlines=True)
    said = process.communicate()[0]
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith("WARNING")]
    return None if process.returncode == 0 else (lines or ["pip: exit code %d" % process.returncode])[-1]


def install(interpreter, parent, environment, tell):
    """True when all are there now.  What cannot be had is said, and the rest installed."""
    folder = folder_of(parent, interpreter)
    missing = [name for name in NAMES if not os.path.isdir(os.path.join(folder, name))]
    if not missing:
        return True
    tell("installing %s into %s" % (" ".join(missing), folder))
    if _pip(interpreter, folder, missing, environment) is None:
        return True
    faults = [(name, _pip(interpreter, folder, [name], environment)) for name in missing]
    for name, fault in faults:
        if fault:
            tell("%s: %s" % (name, fault))
    return not any(fault for _name, fault in faults)


@contextlib.contextmanager
def offered(folder):
    """Puts an existing folder before PYTHONPATH in this process's environment, of which every run gets a copy."""
    before = os.environ.get("PYTHONPATH")
    if folder and os.path.isdir(folder):
        os.environ["PYTHONPATH"] = folder + (os.pathsep + before if before else "")
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("PYTHONPATH", None)
        else:
            os.environ["PYTHONPATH"] = before
