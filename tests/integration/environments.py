# SPDX-License-Identifier: MIT
"""A virtual environment with packages for one interpreter, made once and kept outside the project.

It lies in TM_CACHE, else ~/.cache/libtracemalloc-tests.  Without a package registry it is not made, and what needs it
says so.
"""
import os
import subprocess

OLDEST = (3, 10)


def newest(interpreters):
    """The newest release build that current packages support."""
    usable = [one for one in interpreters if one.version >= OLDEST and not one.debug and not one.free_threaded]
    shared = [one for one in usable if one.shared]
    return (shared or usable or [None])[-1]


def cache():
    return os.environ.get("TM_CACHE") or os.path.join(os.path.expanduser("~"), ".cache", "libtracemalloc-tests")


def prepare(interpreter, packages, timeout=420, modules=()):
    """(python of an environment that has PACKAGES, None) or (None, why not).  MODULES: what they are imported as."""
    modules = list(modules or packages)
    folder = os.path.join(cache(), interpreter.label)
    python = os.path.join(folder, "bin", "python")
    if has(python, modules):
        return python, None
    try:
        if not os.path.exists(python):
            run([interpreter.path, "-m", "venv", folder], timeout)
        run([python, "-m", "pip", "install", "--quiet", "--prefer-binary", "--only-binary", ":all:"] + list(packages),
            timeout)
    except (subprocess.SubprocessError, OSError) as error:
        return None, "no environment with %s: %s" % (" and ".join(packages), error)
    return (python, None) if has(python, modules) else (None, "the packages do not load")


def has(python, packages):
    return os.path.exists(python) and subprocess.call(
        [python, "-c", "import " + ", ".join(packages)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


def run(command, timeout):
    subprocess.run(command, check=True, timeout=timeout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   stdin=subprocess.DEVNULL)
