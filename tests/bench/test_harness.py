# SPDX-License-Identifier: MIT
"""The harness without a bench: its arithmetic, its names, and that a tracer that does not trace cannot win."""
import contextlib
import ctypes.util
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

from harness import configs, figures, instructions, machine, measure, packages, presets, probes, rounds, text, workloads
import bench
import guard

HERE = os.path.dirname(os.path.abspath(__file__))
LOADABLE = ctypes.util.find_library("m")


class Figures(unittest.TestCase):
    def test_ratio_pairs_the_rounds(self):
        found = figures.ratio([2.0, 6.0, 3.0], [1.0, 2.0, 2.0])
        self.assertEqual(found, {"minima": 2.0, "median": 2.0, "low": 1.5, "high": 3.0})

    def test_ratio_without_base(self):
        self.assertIsNone(figures.ratio([1.0], []))
        self.assertIsNone(figures.ratio([1.0], [0.0]))

    def test_comparison_sums_what_both_have(self):
        base = {"a": [1.0, 1.5], "b": [3.0], "c": [9.0]}
        found = figures.comparison({"a": [2.0, 2.0], "b": [24.0], "c": []}, base)
        self.assertEqual(found["workloads"], 2)
        self.assertAlmostEqual(found["geometric_mean"], 4.0)
        self.assertAlmostEqual(found["total"], 26.0 / 4.0)
        self.assertAlmostEqual(found["total_of_medians"], 26.0 / 4.25)

    def test_upper_bound(self):
        self.assertIsNone(figures.upper_bound([1.0]))
        # scipy.stats.t.ppf(0.95, 4) = 2.1318; the standard error of these is 0.01 / sqrt(2).
        self.assertAlmostEqual(figures.upper_bound([1.0, 1.01, 1.02, 1.03, 1.04]), 1.02 + 2.132 * 0.0158114 / 5 ** 0.5, 5)
        self.assertAlmostEqual(figures.upper_bound([1.0, 2.0] * 20), 1.5 + 1.697 * 0.5063697 / 40 ** 0.5, 5)

    def test_mean_of_each_round(self):
        found = figures.comparison({"a": [2.0, 4.0], "b": [8.0, 4.0], "lost": [1.0]},
                                   {"a": [1.0, 1.0], "b": [1.0, 1.0], "lost": [9.0, 9.0]})
        self.assertEqual(found["pairs"], 2)
        self.assertAlmostEqual(found["mean_of_pairs"], 4.0)  # the means of the rounds are 4 and 4
        self.assertAlmostEqual(found["upper_95"], 4.0)

    def test_nothing_in_common(self):
        found = figures.comparison({}, {"a": [1.0]})
        self.assertIsNone(found["geometric_mean"])
        self.assertIsNone(found["total"])


class Names(unittest.TestCase):
    def test_ours(self):
        config = configs.parse("us25:exact=1:start=python", "/lib.so")
        self.assertEqual(config.environment, {"LD_PRELOAD": "/lib.so", "TRACEMALLOC_NFRAME": "25",
                                              "TRACEMALLOC_EXACT": "1", "TRACEMALLOC_START": "python"})

    def test_presets(self):
        for preset in presets.PRESETS:
            _parser, request = bench.parse_arguments(["--preset", preset, "--library", sys.executable, "--runs", "3"])
            bench.look_up(request)
            self.assertEqual(request.runs, 3)
            self.assertGreaterEqual(len(request.workloads), 8)
        names = [config.name for config in request.configs]
        self.assertEqual(names[0], "none")
        for kind in ("us", "stdlib", "heaptrack", "memray"):
            self.assertIn(kind, [config.kind for config in request.configs])
        self.assertLessEqual({"us1", "us5", "us25", "us200", "us25:WATERMARK=1", "us25:NATIVE=1", "us1:SAMPLE=512KiB",
                              "stdlib1", "stdlib5", "stdlib25", "memray-native", "memray-aggregate"}, set(names))
        self.assertTrue(request.instructions)
        for preset in ("ours", "sampled"):
            _parser, request = bench.parse_arguments(["--preset", preset, "--library", sys.executable])
            self.assertGreaterEqual(bench.look_up(request).runs, 15)
            self.assertTrue(request.together)

    def test_stdlib(self):
        command = configs.parse("stdlib5", None).command("python", ["file"])
        self.assertEqual(command, ["python", "-X", "tracemalloc=5", "file"])

    def test_refused(self):
        for name, library in (("us1", None), ("us", "/lib.so"), ("us1:exact", "/lib.so"), ("fast", "/lib.so")):
            with self.assertRaises(ValueError):
                configs.parse(name, library)

    def test_environment_is_clean(self):
        os.environ["TRACEMALLOC_OUTPUT"] = "elsewhere"
        try:
            self.assertNotIn("TRACEMALLOC_OUTPUT", configs.clean_environment())
        finally:
            del os.environ["TRACEMALLOC_OUTPUT"]

    def test_workloads(self):
        found = workloads.find()
        self.assertGreaterEqual(len(found), 8)
        for workload in found:
            self.assertLessEqual(workload.sizes["smoke"], workload.sizes["counted"], workload.name)
            self.assertLessEqual(workload.sizes["counted"], workload.sizes["full"], workload.name)
        with self.assertRaises(ValueError):
            workloads.find(["w1", "nothing"])


class FakeConfig:
    """Runs nothing of its own and notes that its turn came."""
    kind = "none"

    def __init__(self, name, turns):
        self.name = name
        self.turns = turns

    def command(self, python, arguments):
        self.turns.append(self.name)
        return ["true"] + arguments

    def environment_for_run(self):
        return configs.clean_environment()

    def fault(self, reading):
        return None


class Interleaving(unittest.TestCase):
    def rounds(self, count, seconds=None):
        turns = []
        chosen = [FakeConfig(name, turns) for name in "abc"]
        made = rounds.Rounds(60, lambda line: None)
        return made.run(count, chosen, "python", [("w", lambda config: [])], seconds), turns, made

    def test_nobody_is_always_first(self):
        count, turns, made = self.rounds(4)
        self.assertEqual((count, "".join(turns)), (4, "abcbcacababc"))
        self.assertEqual(len(made.series(FakeConfig("b", []), "cpu_s", ["w"])["w"]), 4)

    def test_no_round_begins_that_cannot_end_in_time(self):
        count, turns, _made = self.rounds(100, 0)
        self.assertEqual((count, "".join(turns)), (1, "abc"))

    def test_together_all_orders_on_all_processors(self):
        places = []

        def run_together(processor, runs, _limit_s, _parent):
            places.append((processor, [command[0] for command, _environment in runs]))
            return [measure.Reading(len(command[0]), 1, 1, {}, 0, "", "") for command, _environment in runs]

        class Named(FakeConfig):
            def command(self, python, arguments):
                return [self.name]

        chosen = [Named("a", None), Named("bb", None)]
        with mock.patch.object(measure, "run_together", run_together), \
                mock.patch.object(os, "sched_getaffinity", lambda _pid: {5, 3}):
            made = rounds.Rounds(60, lambda line: None, together=True)
            made.run(4, chosen, "python", [("w", lambda config: [])])
        self.assertEqual(places, [(3, ["a", "bb"]), (3, ["bb", "a"]), (5, ["a", "bb"]), (5, ["bb", "a"])])
        # Each reading is of the one that was run, whatever the order.
        self.assertEqual(made.series(chosen[1], "cpu_s", ["w"])["w"], [2, 2, 2, 2])


class Packages(unittest.TestCase):
    def test_offered_while_wanted(self):
        before = os.environ.get("PYTHONPATH")
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "tm_offered.py"), "w") as file:
                file.write("")
            with packages.offered(folder):
                interpreter = machine.Interpreter(sys.executable, configs.clean_environment())
                self.assertTrue(interpreter.can_import("tm_offered"))
            self.assertEqual(os.environ.get("PYTHONPATH"), before)
            with packages.offered(os.path.join(folder, "none")):
                self.assertEqual(os.environ.get("PYTHONPATH"), before)

    def test_workload_without_its_package(self):
        interpreter = machine.Interpreter(sys.executable, configs.clean_environment())
        lacking = workloads.Workload("r", "r.py", "", {}, ["json", "tm_nowhere"])
        self.assertEqual(lacking.unusable_with(interpreter), "it has no tm_nowhere")
        self.assertIsNone(workloads.Workload("r", "r.py", "", {}, ["json"]).unusable_with(interpreter))


class Measuring(unittest.TestCase):
    def run_python(self, code, limit_s=60):
        return measure.run([sys.executable, "-S", "-c", code], configs.clean_environment(), limit_s)

    def test_processor_time(self):
        reading = self.run_python("import time\nwhile time.process_time() < 0.3: pass")
        self.assertEqual(reading.status, 0)
        self.assertGreaterEqual(reading.cpu_s, 0.3)
        self.assertGreaterEqual(reading.wall_s, 0.3)

    def test_peak_rss(self):
        plain = self.run_python("pass").rss_bytes
        more = self.run_python("b = bytearray(64 << 20); del b").rss_bytes
        self.assertGreater(more - plain, 63 << 20)
        self.assertLess(more - plain, 66 << 20)

    def test_peak_rss_is_not_our_own(self):
        before = measure.floor_rss_bytes(configs.clean_environment())
        ballast = bytearray(64 << 20)
        self.assertLess(measure.floor_rss_bytes(configs.clean_environment()) - before, 1 << 20)
        del ballast

    def test_files(self):
        reading = self.run_python("open('left', 'w').write('x' * 1000)")
        self.assertEqual((reading.files, reading.disk_bytes), (["left"], 1000))

    def test_ends(self):
        self.assertEqual(self.run_python("import os; os._exit(7)").status, 7)
        self.assertEqual(self.run_python("import os; os.kill(os.getpid(), 9)").status, -9)
        self.assertEqual(measure.run(["/nowhere/python"], {}, 60).status, 127)

    def test_time_limit(self):
        reading = self.run_python("import time; time.sleep(60)", 0.5)
        self.assertLess(reading.wall_s, 30)
        self.assertEqual(reading.status, -9)
        self.assertIn("killed after 0.5 s", reading.said)


class Together(unittest.TestCase):
    def commands(self, *codes):
        return [([sys.executable, "-S", "-c", code], configs.clean_environment()) for code in codes]

    def run_together(self, *codes, limit_s=60):
        return measure.run_together(min(os.sched_getaffinity(0)), self.commands(*codes), limit_s)

    def test_at_the_same_time(self):
        # Each end of the pipe waits for the other.
        with tempfile.TemporaryDirectory() as folder:
            pipe = os.path.join(folder, "pipe")
            os.mkfifo(pipe)
            readings = self.run_together("open(%r, 'w').write('met')" % pipe, "print(open(%r).read())" % pipe)
        self.assertEqual([(reading.status, reading.out.strip()) for reading in readings], [(0, ""), (0, "met")])

    def test_on_one_processor(self):
        processor = max(os.sched_getaffinity(0))
        code = "import os; print(os.sched_getaffinity(0))"
        for reading in measure.run_together(processor, self.commands(code, code), 60):
            self.assertEqual(reading.out.strip(), "{%d}" % processor)

    def test_each_has_its_own_reading(self):
        burn, left = "import time\nwhile time.process_time() < 0.3: pass\nraise SystemExit(7)", "open('left', 'w').write('xx')"
        first, second = self.run_together(burn, left)
        self.assertEqual((first.status, first.files, second.status, second.files), (7, [], 0, ["left"]))
        self.assertGreaterEqual(first.cpu_s, 0.3)
        self.assertLess(second.cpu_s, 0.3)

    def test_time_limit_ends_all(self):
        short, endless = self.run_together("pass", "import time; time.sleep(60)", limit_s=2)
        self.assertEqual((short.status, short.said, endless.status), (0, "", -9))
        self.assertIn("killed after 4 s", endless.said)
        self.assertEqual(self.run_together("print(1)")[0].out, "1\n")

    def test_interrupts_are_heard_whatever_the_shell_ignores(self):
        code = ("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nimport sys\nfrom harness import measure\n"
                "said = 'import signal; print(signal.getsignal(signal.SIGINT))'\n"
                "print(measure.run([sys.executable, '-c', said], {}, 60).out)")
        found = subprocess.run([sys.executable, "-c", code], cwd=os.path.dirname(os.path.abspath(__file__)),
                               stdout=subprocess.PIPE, universal_newlines=True, check=True)
        self.assertIn("default_int_handler", found.stdout)


class FalseTracers(unittest.TestCase):
    def fault(self, library):
        config = configs.parse("us1", library)
        return config.fault(measure.run(config.command(sys.executable, ["-c", "pass"]), config.environment_for_run(), 60))

    def test_no_library(self):
        with tempfile.NamedTemporaryFile(suffix=".so") as file:
            file.write(b"not ELF")
            file.flush()
            self.assertIn("cannot be preloaded", self.fault(file.name))

    @unittest.skipUnless(LOADABLE, "no libm to preload")
    def test_library_that_does_not_trace(self):
        self.assertEqual(self.fault(LOADABLE), "left no snapshot")

    def test_program_that_fails(self):
        config = configs.parse("none", None)
        reading = measure.run([sys.executable, "-c", "raise SystemExit('no')"], config.environment_for_run(), 60)
        self.assertEqual(config.fault(reading), "exit code 1: no")


class Guard(unittest.TestCase):
    def holds(self, now, then):
        with contextlib.redirect_stdout(io.StringIO()):
            return guard.compare({"us1": now}, {"us1": then})

    def test_what_fails(self):
        self.assertTrue(self.holds({"w": 1.5}, {"w": 1.5}))
        self.assertTrue(self.holds({"w": 1.54}, {"w": 1.5}))
        self.assertTrue(self.holds({"w": 1.2}, {"w": 1.5}))
        self.assertFalse(self.holds({"w": 1.55}, {"w": 1.5}))
        self.assertFalse(self.holds({}, {"w": 1.5}))
        self.assertFalse(self.holds({"w": 1.5, "new": 1.5}, {"w": 1.5}))

    def test_what_is_recorded(self):
        with open(guard.RECORD, encoding="utf-8") as file:
            known = json.load(file)
        for build, ratios in known.items():
            self.assertEqual(set(ratios), set(guard.CONFIGS) - {"none"}, build)
            for found in ratios.values():
                self.assertEqual(len(found), len(guard.WORKLOADS), build)

    def test_quick_tier_runs_it(self):
        with open(os.path.join(HERE, "CMakeLists.txt"), encoding="utf-8") as file:
            label = re.search(r"bench\.instructions PROPERTIES LABELS (\w+)", file.read()).group(1)
        with open(os.path.join(HERE, "..", "run.sh"), encoding="utf-8") as file:
            script = file.read()
        left_out = re.search(r"tests gcc -LE '(.+)'", script).group(1)
        self.assertIsNone(re.search(left_out, label))
        self.assertRegex(script, "tm_setup [a-z -]*valgrind")


class Parsing(unittest.TestCase):
    def test_events(self):
        self.assertEqual(probes.parse_events("tight 7.1 ns/pair\ntracing 0 flag\nhello\n"), {"tight": (7.1, "ns/pair")})

    def test_instruction_ratios(self):
        found = instructions.ratios({instructions.STARTUP: {"none": 100, "us1": 110},
                                     "w": {"none": 300, "us1": 360}, "x": {"us1": 5}})
        self.assertEqual(found, {"us1": {instructions.STARTUP: (1.1, None), "w": (1.2, 1.25)}})

    def test_table_is_aligned(self):
        self.assertEqual(text.table([["a", "b"], ["long", "1.00"]]), ["a        b", "long  1.00"])


if __name__ == "__main__":
    unittest.main()
