#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""examples/tm.py in every interpreter; the kernelspec and the deployment, each as far as it can be run here: with the
environment, the paths and the commands that the files give."""
from __future__ import print_function

import json
import os
import re
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
EXAMPLES = os.path.join(ROOT, "examples")
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))

import environments
import interpreters
import traced

WRAPPER = r"""
import os, sys
import tm
assert tm.is_preloaded() and tm.is_tracing() and tm.get_traceback_limit() == 3
assert tm.version().count(".") == 2
kept = []
def allocate(size):
    kept.append(b"x" * size)
with tm.diff(limit=3) as block:
    allocate(3000000)
    bytes(b"y" * int("5000000"))
assert 2990000 < block.grown < 3100000 and 7900000 < block.peak < 8100000, (block.grown, block.peak)
assert "allocate" in block.text and "tm-report" not in block.text, block.text
frames = tm.get_object_traceback(kept[0])
assert [(os.path.basename(name), line) for name, line, _ in frames] == [("use.py", 9), ("use.py", 7)], frames
assert frames[-1][2] == "allocate" and len(tm.get_object_traceback(kept[0], limit=1)) == 1
current, peak = tm.get_traced_memory()
assert 3000000 < current <= peak
tm.reset_peak()
assert tm.get_traced_memory()[1] < peak and tm.get_tracemalloc_memory() > 0
tm.take_snapshot("mine.tms", blocks=True)
def fails(error, words, call, *arguments):
    try:
        call(*arguments)
    except error as problem:
        assert words in str(problem), problem
    else:
        assert False, words
fails((OSError, IOError), "No such file", tm.take_snapshot, "missing/x.tms")
fails(ValueError, "range [1; 65535]", tm.start, 0)
tm.clear_traces()
assert tm.get_traced_memory()[0] < 3000000
tm.stop()
assert not tm.is_tracing() and tm.get_traced_memory() == (0, 0) and tm.get_object_traceback(kept[0]) is None
fails(RuntimeError, "must be tracing", tm.take_snapshot, "x.tms")
fails(RuntimeError, "must be tracing", tm.diff().__enter__)
tm.start(7)
assert tm.is_tracing() and tm.get_traceback_limit() == 7
print("done")
"""

WITHOUT = r"""
import tm
assert not tm.is_preloaded()
for call in (tm.is_tracing, tm.get_traced_memory, tm.version, tm.diff().__enter__):
    try:
        call()
    except tm.NotPreloaded as problem:
        assert str(problem).startswith("libtracemalloc is not preloaded")
    else:
        assert False
print("done")
"""

KERNEL = r"""
import json, os, sys
from jupyter_client.manager import KernelManager
from jupyter_client.kernelspec import KernelSpec
spec = KernelSpec(**json.load(open(sys.argv[1])))
spec.argv[0] = sys.executable
spec.env.update(LD_PRELOAD=sys.argv[2], TRACEMALLOC_OUTPUT=os.getcwd() + "/", PYTHONPATH=sys.argv[3])
manager = KernelManager()
manager._kernel_spec = spec
manager.start_kernel()
client = manager.blocking_client()
client.start_channels()
client.wait_for_ready(timeout=60)
out = []
def hear(message):
    content = message["content"]
    out.append(content.get("text", "") + "\n".join(content.get("traceback", [])))
client.execute_interactive("import tm\nwith tm.diff(limit=5) as cell:\n    held = [bytearray(1000) for _ in range(2000)]\n"
                           "print('grown', cell.grown)", timeout=60, output_hook=hear)
client.stop_channels()
manager.shutdown_kernel()
print("".join(out))
"""


class Tester(object):
    def __init__(self, options, checks, folder):
        self.options, self.checks, self.folder = options, checks, folder
        self.tools = os.path.dirname(options.report)

    def environment(self, interpreter, **variables):
        return interpreter.environment(PATH=self.tools + ":" + os.environ["PATH"], **variables)

    def wrapper(self, interpreter):
        for text, variables in ((WRAPPER, {"LD_PRELOAD": self.options.library, "TRACEMALLOC_NFRAME": "3"}), (WITHOUT, {})):
            folder = self.folder.fresh()
            with open(os.path.join(folder, "use.py"), "w") as stream:
                stream.write(text.lstrip("\n"))
            done = traced.run([interpreter.path, "use.py"], folder,
                              self.environment(interpreter, PYTHONPATH=EXAMPLES, **variables))
            self.checks.equal((done.code, done.stdout.splitlines()[-1:]), (0, [b"done"]),
                              "tm.py: " + done.stderr.decode()[-300:])

    def option_names(self, variables):
        with open(os.path.join(ROOT, "src", "base", "config_options.h")) as stream:
            known = set(re.findall(r"^ *X\((\w+),", stream.read(), re.MULTILINE))
        mine = [name[len("TRACEMALLOC_"):] for name in variables if name.startswith("TRACEMALLOC_")]
        self.checks.that(mine and set(mine) <= known, "the options are there", mine)

    def kernel(self, interpreter):
        with open(os.path.join(EXAMPLES, "kernelspec", "kernel.json")) as stream:
            spec = json.load(stream)
        self.option_names(spec["env"])
        folder = self.folder.fresh()
        variables = dict(spec["env"], LD_LIBRARY_PATH=os.path.dirname(self.options.library),
                         TRACEMALLOC_OUTPUT=folder + spec["env"]["TRACEMALLOC_OUTPUT"][len("/tmp"):])
        done = traced.run([interpreter.path, "-c", "print('ran')"], folder, self.environment(interpreter, **variables))
        self.checks.equal((done.code, done.stdout, done.stderr, len(done.snapshots())), (0, b"ran\n", b"", 1),
                          "the kernelspec's environment")
        if not self.options.full:
            return
        python, why = environments.prepare(interpreter, ("ipykernel", "jupyter_client"))
        if python is None:
            self.checks.skip("a kernel", why)
            return
        folder = self.folder.fresh()
        done = traced.run([python, "-c", KERNEL, os.path.join(EXAMPLES, "kernelspec", "kernel.json"), self.options.library,
                           EXAMPLES], folder, self.environment(interpreter))
        text = done.stdout.decode()
        grown = re.search(r"grown (\d+)", text)
        self.checks.that(done.code == 0 and grown and 2e6 < int(grown.group(1)) < 3e6 and "+2.0 MiB" in text,
                         "a cell of a kernel", (text, done.stderr))
        self.checks.equal((len(done.snapshots()), done.stores()), (1, []), "the kernel's snapshot")

    def deployment(self, interpreter):
        """The container is killed as for want of memory; the sidecar's command collects what it left."""
        try:
            import yaml
        except ImportError:
            self.checks.skip("kubernetes.yaml", "this Python has no yaml")
            return
        with open(os.path.join(EXAMPLES, "kubernetes.yaml")) as stream:
            pod = yaml.safe_load(stream)["spec"]["template"]["spec"]
        app, collector = pod["containers"]
        mounts = [{one["name"]: one["mountPath"] for one in container["volumeMounts"]} for container in (app, collector)]
        self.checks.equal(mounts[0], mounts[1], "both see the same volumes")
        self.checks.equal(sorted(mounts[0]), sorted(one["name"] for one in pod["volumes"]), "volumes")
        folder = self.folder.fresh()
        os.mkdir(os.path.join(folder, "trace"))

        def here(text):
            text = text.replace("/tm/lib/libtracemalloc.so", self.options.library).replace("/tm/bin", self.tools)
            return re.sub(r"(^|[ /])/?trace\b", lambda match: match.group(1).rstrip("/") + folder + "/trace", text)

        variables = {one["name"]: here(one.get("value", "pod-1").replace("$(POD_NAME)", "pod-1")) for one in app["env"]}
        self.option_names(variables)
        hold = "import os\nheld = [bytearray(1000) for _ in range(3000)]\nos.kill(os.getpid(), 9)"
        for _ in range(2):
            done = traced.run([interpreter.path, "-c", hold], folder, self.environment(interpreter, **variables))
            self.checks.equal((done.code, done.stderr), (-signal.SIGKILL, b""), "killed")
        done = traced.run([interpreter.path, "-c", "pass"], folder, self.environment(interpreter, **variables))
        self.checks.equal((done.code, done.stderr), (0, b""), "its end")
        command = re.search(r"do (.*); done", collector["command"][-1]).group(1)
        done = traced.run(["sh", "-c", here(command)], folder, self.environment(interpreter))
        left = sorted(os.listdir(os.path.join(folder, "trace")))
        self.checks.that(done.code == 0 and len(left) == 3 and all(name.endswith(".tms") for name in left),
                         "collected", (left, done.stderr))
        self.checks.that(any(name.startswith("pod-1.") for name in left), "the pod's name", left)
        for name in left:
            if name.startswith("tracemalloc."):
                total = traced.statistics(self.options.report, os.path.join(folder, "trace", name))["total"]["size"]
                self.checks.that(total > 3000 * 1000, "what it held", total)


def main():
    options = traced.arguments(__doc__).parse_args()
    options.library, options.report = os.path.abspath(options.library), os.path.abspath(options.report)
    checks = traced.Checks()
    chosen = interpreters.select(options.pythons)
    with traced.Folder() as folder:
        tester = Tester(options, checks, folder)
        for interpreter in chosen:
            checks.begin("%s tm.py" % interpreter.label)
            tester.wrapper(interpreter)
            checks.end()
        newest = environments.newest(chosen) or chosen[-1]
        for group in (tester.kernel, tester.deployment):
            checks.begin("%s %s" % (newest.label, group.__name__))
            group(newest)
            checks.end()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
