# SPDX-License-Identifier: MIT
"""One run of bench.py with the smallest sizes: its tables and its JSON are complete.  No figure is judged.

test_smoke.py [--library FILE] [--event-bench FILE]
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench.py")
PROBES = os.path.join(os.path.dirname(BENCH), "probes")
ARGUMENTS = sys.argv[1:]
CONFIGS = ["none", "stdlib1"] + (["us1"] if "--library" in ARGUMENTS else [])


def bench(*arguments):
    process = subprocess.Popen([sys.executable, "-B", BENCH] + list(arguments), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, universal_newlines=True)
    out, said = process.communicate()
    return process.returncode, out, said


def workloads_named(letter):
    return sorted(name[:-3] for name in os.listdir(os.path.join(os.path.dirname(BENCH), "workloads"))
                  if name.startswith(letter) and name.endswith(".py"))


class Real(unittest.TestCase):
    """The workloads that people write: each is run, or left out with its reason."""

    def test_every_one_is_run_or_skipped(self):
        config = "us1" if "--library" in ARGUMENTS else "stdlib1"
        status, out, said = bench("--size", "smoke", "--runs", "1", "--configs", config, "--workloads", "r",
                                  "--parts", "workloads", *ARGUMENTS)
        self.assertEqual(status, 0, out + said)
        cells = out[out.index("CPU, user"):out.index("Wall time")]
        skipped = dict(line[len("skipped  "):].split(": ") for line in out.splitlines() if line.startswith("skipped"))
        for name in workloads_named("r"):
            self.assertNotEqual(name in skipped, "\n%s " % name in cells, name)
        for reason in skipped.values():
            self.assertIn("it has no ", reason)
        # The others need no more than what every interpreter of today has.
        self.assertLessEqual(set(skipped), {"r1_django", "r6_pandas", "r7_numpy", "r5_sqlite_orm"})


class Smoke(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "bench.json")
            cls.status, cls.out, cls.said = bench("--size", "smoke", "--runs", "1", "--configs", ",".join(CONFIGS),
                                                  "--workloads", "w", "--json", path, *ARGUMENTS)
            if cls.status != 0:
                raise AssertionError("exit code %d\n%s\n%s" % (cls.status, cls.out, cls.said))
            with open(path, encoding="utf-8") as file:
                cls.document = json.load(file)
            cls.shown = bench("--show", path)

    def part(self):
        self.assertEqual(len(self.document["interpreters"]), 1)
        return self.document["interpreters"][0]

    def test_every_cell_was_read(self):
        cells = self.part()["workloads"]
        names = workloads_named("w")
        self.assertEqual(sorted(cells), names)
        for name in names:
            self.assertEqual(sorted(cells[name]), sorted(CONFIGS))
            for config, figures in cells[name].items():
                for figure in ("cpu_s", "wall_s", "rss_bytes"):
                    self.assertEqual(len(figures[figure]), 1, (name, config, figure))
                    self.assertGreater(figures[figure][0], 0, (name, config, figure))
                self.assertEqual(figures["disk_bytes"][0] > 0, config == "us1", (name, config))

    def test_every_ratio_is_there(self):
        for figure, by_config in self.part()["comparison"].items():
            self.assertEqual(sorted(by_config), sorted(CONFIGS[1:]), figure)
            for found in by_config.values():
                self.assertEqual(found["workloads"], len(self.part()["workloads"]))
                self.assertGreater(found["geometric_mean"], 0)
                self.assertGreater(found["total"], 0)

    def test_probes(self):
        for cells in self.part()["startup"].values():
            self.assertEqual(sorted(cells), sorted(CONFIGS))
        live = self.part()["live_objects"]
        self.assertEqual(sorted(live), sorted(CONFIGS))
        for config in CONFIGS[1:]:
            self.assertGreater(live[config]["to_file_s"]["median"], 0)
            self.assertGreater(live[config]["file_bytes"], 0)
            self.assertGreater(live[config]["tracer_bytes"], 0)

    @unittest.skipUnless("--event-bench" in ARGUMENTS, "event_bench was not built")
    def test_events(self):
        least = self.document["events"]["least"]
        self.assertEqual(sorted(least), sorted(set(CONFIGS) - {"stdlib1"}))
        for figures in least.values():
            self.assertEqual(sorted(figures), ["batch", "threads4", "tight"])

    def test_table(self):
        for word in list(self.part()["workloads"]) + CONFIGS + ["geometric mean", "Start-up", "Live heap", "machine"]:
            self.assertIn(word, self.out)
        self.assertNotIn("FAILED", self.out)
        self.assertNotIn("failed", self.out)

    def test_stored_run_shows_the_same(self):
        self.assertEqual(self.shown, (0, self.out, ""))


@unittest.skipUnless("--library" in ARGUMENTS, "the library was not built")
class ManyTracebacks(unittest.TestCase):
    """The probe of a snapshot's pause and size.  Times are not judged, bytes are."""

    def traced(self, folder, *arguments, **variables):
        library = ARGUMENTS[ARGUMENTS.index("--library") + 1]
        environment = dict(os.environ, LD_PRELOAD=library, TRACEMALLOC_NFRAME="25", TRACEMALLOC_OUTPUT="left.tms")
        environment.update(variables)
        out = subprocess.check_output([sys.executable, "-B"] + list(arguments), env=environment, cwd=folder)
        return out.decode()

    def test_probe(self):
        with tempfile.TemporaryDirectory() as folder:
            found = json.loads(self.traced(folder, os.path.join(PROBES, "many_tracebacks.py"), "300", "900", "p.tms"))
        self.assertEqual((found["paths"], found["blocks"]), (300, 900))
        self.assertGreaterEqual(found["distinct_tracebacks"], 300)
        self.assertGreater(found["cpu_s"], 0)
        # A call that keeps the interpreter's lock stops the others for as long as it lasts, about.
        self.assertGreater(found["held_gap_max_s"], found["cpu_s"] / 2)
        self.assertNotIn("due_s", found)

    def test_probe_of_snapshots_that_are_due(self):
        with tempfile.TemporaryDirectory() as folder:
            output = os.path.join(folder, "due.tms")
            found = json.loads(self.traced(folder, os.path.join(PROBES, "many_tracebacks.py"), "300", "900", "p.tms",
                                           TRACEMALLOC_SIGNAL="USR1", TRACEMALLOC_OUTPUT=output))
            self.assertEqual(len([name for name in os.listdir(folder) if name.startswith("due.0")]), 6)  # with the last one
        self.assertGreater(found["due_held_s"], 0)
        self.assertGreaterEqual(found["due_s"], found["due_held_s"])

    def test_bytes_per_distinct_traceback(self):
        with tempfile.TemporaryDirectory() as folder:
            self.traced(folder, os.path.join(os.path.dirname(BENCH), "workloads", "w7_imports.py"), "60")
            found = json.loads(subprocess.check_output(
                [sys.executable, "-B", os.path.join(PROBES, "file_parts.py"), os.path.join(folder, "left.tms")]).decode())
        self.assertGreater(found["distinct_tracebacks"], 1000)
        self.assertEqual(sum(found["parts"].values()) + 24 + 48 * len(found["parts"]), found["file_bytes"])
        self.assertGreater(found["bytes_per_traceback"], 0)
        self.assertLessEqual(found["bytes_per_traceback"], 40)


class Peers(unittest.TestCase):
    @unittest.skipUnless(shutil.which("heaptrack"), "heaptrack is not installed")
    def test_heaptrack(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "bench.json")
            status, out, said = bench("--size", "smoke", "--runs", "1", "--configs", "heaptrack", "--workloads", "w2",
                                      "--parts", "workloads,snapshot", "--json", path)
            self.assertEqual(status, 0, out + said)
            with open(path, encoding="utf-8") as file:
                part = json.load(file)["interpreters"][0]
        self.assertGreater(part["workloads"]["w2_churn"]["heaptrack"]["disk_bytes"][0], 0)
        self.assertGreater(part["captures"]["heaptrack"]["file_bytes"], 0)
        self.assertGreater(part["captures"]["heaptrack"]["report_s"], 0)
        self.assertIn("Captures of the live heap", out)


class Together(unittest.TestCase):
    def test_sampled_pairs(self):
        """No wall time, which two that share a processor do not have; the rest is there, and the bound."""
        library = "--library" in ARGUMENTS
        status, out, said = bench("--preset", "sampled", "--size", "smoke", "--runs", "2", "--workloads", "w2,w6",
                                  *([] if library else ["--configs", "stdlib1"]), *ARGUMENTS)
        self.assertEqual(status, 0, out + said)
        self.assertIn("upper 95 % bound", out)
        self.assertIn("ran at the same time on one processor", out)
        self.assertNotIn("Wall time", out)


class Misuse(unittest.TestCase):
    def test_exit_code_2(self):
        for arguments in (["--configs", "nothing"], ["--workloads", "w0"], ["--parts", "x"], ["--runs", "0"],
                          ["--library", "/nowhere.so"]):
            status, out, said = bench(*arguments)
            self.assertEqual((status, out), (2, ""), arguments)
            self.assertIn("error:", said)

    def test_exit_code_1(self):
        """A run that failed is seen in the exit code and in its cell."""
        with tempfile.NamedTemporaryFile(suffix=".so") as file:
            status, out, _said = bench("--size", "smoke", "--runs", "1", "--workloads", "w2", "--parts", "workloads",
                                       "--configs", "us1", "--library", file.name)
        self.assertEqual(status, 1, out)
        self.assertIn("FAILED   w2_churn under us1", out)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
