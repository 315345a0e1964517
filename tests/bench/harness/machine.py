# SPDX-License-Identifier: MIT
"""Where and with what the figures were taken: the part of a table without which its numbers mean nothing."""
import hashlib
import json
import os
import platform
import subprocess
import tempfile
import time

_ASK = """
import json, platform, sys, sysconfig
print(json.dumps({
    "version": list(sys.version_info[:3]),
    "compiler": platform.python_compiler(),
    # Which built packages fit.
    "tag": sysconfig.get_config_var("SOABI") or "cpython-%d%d" % sys.version_info[:2],
    # What is mapped, not how it was configured: Debian builds a shared library, and links its python without it.
    "shared": "libpython" in open("/proc/self/maps").read(),
}))
"""


class Interpreter:
    def __init__(self, path, environment):
        self.path = path
        self._environment = environment
        found = json.loads(subprocess.check_output([path, "-c", _ASK], env=environment).decode())
        self.version = tuple(found["version"])
        self.tag = found["tag"]
        self.build = "%s, %s libpython" % (found["compiler"], "shared" if found["shared"] else "static")

    def can_import(self, module):
        return subprocess.call([self.path, "-c", "import " + module], env=self._environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0

    def described(self):
        return {"path": self.path, "version": ".".join(map(str, self.version)), "build": self.build}


def _field(path, name):
    with open(path) as file:
        for line in file:
            key, _colon, value = line.partition(":")
            if key.strip() == name:
                return value.strip()
    return "unknown"


def _file_system(folder):
    best, kind = "", "unknown"
    with open("/proc/mounts") as file:
        for line in file:
            where, what = line.split()[1:3]
            if (folder + "/").startswith(where.rstrip("/") + "/") and len(where) >= len(best):
                best, kind = where, what
    return kind


def described():
    scratch = os.path.realpath(tempfile.gettempdir())
    memory_kib = int(_field("/proc/meminfo", "MemTotal").split()[0])
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _field("/proc/cpuinfo", "model name"),
        "memory_mib": memory_kib // 1024,
        "kernel": platform.system() + " " + platform.release(),
        "libc": " ".join(platform.libc_ver()),
        "scratch": "%s (%s)" % (scratch, _file_system(scratch)),
        "load_before": os.getloadavg()[0],
    }


def described_library(path):
    if path is None:
        return None
    with open(path, "rb") as file:
        content = file.read()
    return {"path": path, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
