#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which Python interpreters the tests run on, and what each one is.

TM_PYTHONS (executables, separated by colons) decides alone when it is set.  Otherwise: python, python2*, python3* of
PATH, /usr/bin/python3* and the versions of `pyenv root`.  An interpreter that is found twice counts once.

Run by itself it prints the table.  Runs on Python 3.6 and later; the interpreters it looks at may be 2.7.
"""
import glob
import json
import os
import re
import subprocess
import sys

# Run in each interpreter.  Debian's static build says Py_ENABLE_SHARED=1, so what is mapped decides.
PROBE = r"""
import json, os, platform, sys, sysconfig
flags = ' '.join(str(sysconfig.get_config_var(name) or '') for name in
                 ('CONFIG_ARGS', 'PY_CFLAGS', 'PY_CORE_LDFLAGS', 'CONFIGURE_CFLAGS_NODIST', 'CONFIGURE_LDFLAGS_NODIST'))
json.dump({
    'version': list(sys.version_info[:3]),
    'implementation': platform.python_implementation(),
    'executable': os.path.realpath(sys.executable),
    'shared': 'libpython' in open('/proc/self/maps').read(),
    'debug': hasattr(sys, 'gettotalrefcount'),
    'free_threaded': bool(sysconfig.get_config_var('Py_GIL_DISABLED')),
    'interposable': not ('-flto' in flags or '-fno-semantic-interposition' in flags or '--with-lto' in flags),
    'tracemalloc': sys.version_info >= (3, 4),
}, sys.stdout)
"""

OLDEST = (3, 6)  # beside 2.7


class Interpreter(object):
    """One executable: where it is, its release and how it was built."""

    def __init__(self, path, facts):
        self.path = path
        self.version = tuple(facts["version"])
        self.shared = facts["shared"]
        self.debug = facts["debug"]
        self.free_threaded = facts["free_threaded"]
        self.interposable = self.shared and facts["interposable"]
        self.has_tracemalloc = facts["tracemalloc"]

    @property
    def label(self):
        kinds = [] if self.shared else ["static"]
        kinds += ["debug"] if self.debug else []
        kinds += ["t"] if self.free_threaded else []
        return "-".join([".".join(map(str, self.version))] + kinds)

    @property
    def needs_exact(self):
        """TRACEMALLOC_EXACT=1 is needed to see recycled objects: their recycling is inlined or bound inside."""
        return self.version[:2] == (3, 8) or ((3, 9) <= self.version < (3, 13) and not self.interposable)

    def environment(self, **variables):
        """The environment for a traced or plain run: ours, without what would change the answer."""
        result = {name: value for name, value in os.environ.items()
                  if not name.startswith(("PYTHON", "TRACEMALLOC_", "TM_", "LD_PRELOAD", "PYENV_"))}
        result.update(PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1", LC_ALL="C.UTF-8")
        result.update(variables)
        return result


def probe(path):
    """The interpreter at PATH and its real executable, or None when it is none that the product knows."""
    try:
        done = subprocess.run([path, "-E", "-c", PROBE], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=60)
        facts = json.loads(done.stdout.decode())
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    version = tuple(facts["version"])
    if facts["implementation"] != "CPython" or not (version >= OLDEST or version[:2] == (2, 7)):
        return None
    return Interpreter(path, facts), facts["executable"]


def pyenv_root():
    try:
        return subprocess.run(["pyenv", "root"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode().strip()
    except OSError:
        return ""


def candidates():
    """Each file once.  Not the shims of pyenv: slow, and they lead to its versions or to what is in PATH anyway."""
    names = re.compile(r"python(2|3)?(\.\d+)?[dt]*$")
    root = pyenv_root()
    folders = [folder or "." for folder in os.environ.get("PATH", "").split(":") + ["/usr/bin"]]
    seen = set()
    for folder in [one for one in folders if not root or os.path.realpath(one) != os.path.realpath(root + "/shims")]:
        seen.update(os.path.realpath(path) for path in glob.glob(os.path.join(folder, "python*"))
                    if names.match(os.path.basename(path)) and os.access(path, os.X_OK))
    if root:
        seen.update(map(os.path.realpath, glob.glob(os.path.join(root, "versions", "*", "bin", "python"))))
    return sorted(seen)


def find():
    """All interpreters, oldest first."""
    given = [path for path in os.environ.get("TM_PYTHONS", "").split(":") if path]
    found = {}
    for path in given or candidates():
        known = probe(path)
        if known:
            interpreter, executable = known
            if not given:
                interpreter.path = executable  # no script that starts it: what is preloaded into a shell is not Python
            found.setdefault(path if given else executable, interpreter)
    return sorted(found.values(), key=lambda one: (one.version, one.label))


def select(wanted="", python3_only=False):
    """Those whose label begins with one of WANTED (comma separated; empty: all)."""
    prefixes = [prefix for prefix in wanted.split(",") if prefix]
    chosen = [one for one in find() if not prefixes or any(matches(one.label, prefix) for prefix in prefixes)]
    return [one for one in chosen if one.has_tracemalloc] if python3_only else chosen


def matches(label, prefix):
    return label == prefix or label.startswith((prefix + ".", prefix + "-"))


def main():
    for one in select(sys.argv[1] if len(sys.argv) > 1 else ""):
        print("%-20s %-7s %s%s" % (one.label, "shared" if one.shared else "static", one.path,
                                   "  (exact figures need TRACEMALLOC_EXACT=1)" if one.needs_exact else ""))


if __name__ == "__main__":
    main()
