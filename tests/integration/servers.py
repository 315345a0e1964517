#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Servers, pools, test runners and installers of the world outside run under LD_PRELOAD as they run without: gunicorn
with three kinds of workers, uWSGI, uvicorn, Celery, multiprocessing.Pool, pytest with xdist, a Jupyter kernel, pip.

Same answers, exit code, stdout and stderr (but for times and process ids), same files; the snapshots load, and in one
of them the line that keeps the memory is the largest.  Needs packages: without a registry it is left out.
"""
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time

import environments
import interpreters
import traced
import transparency

PACKAGES = {"flask": "flask", "gunicorn": "gunicorn", "gevent": "gevent", "uvicorn": "uvicorn", "celery": "celery",
            "pytest": "pytest", "pytest-xdist": "xdist", "jupyter_client": "jupyter_client", "ipykernel": "ipykernel"}
REQUESTS = 1000
FINE = b"%d answers are fine" % REQUESTS
SOCKET = "s"
CHANGING = [(re.compile(pattern), b"#") for pattern in (
    rb"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [^]]*\] ", rb"(?<=\[)\d+(?=\])", rb"(?<=\[gw)\d+(?=\])", rb"(?<=pid: )\d+", rb"(?<=pid:)\d+",
    rb"(?<=\()\d+(?=\))", rb"in \d+\.\d+s(?: \([\d:]+\))?", rb" +\[ *\d+%\]", rb"(?<=on \[)\w+ \w+ [^]]*(?=\])", rb"0x[0-9a-f]+",
    rb"(?<=after )\d+(?= second)", rb"(?<=ready in )\d+(?= second)")]


class Connection(http.client.HTTPConnection):
    """HTTP through a socket in the file system: no port that somebody else could have."""

    def __init__(self, path):
        http.client.HTTPConnection.__init__(self, "localhost", timeout=120)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Served(object):
    """A server as a finished run looks: started, asked, told to end."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def command(self, python):
        return [python] + list(self.arguments)

    def __call__(self, python, folder, environment):
        process = subprocess.Popen(self.command(python), cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            answers = self.ask(process, os.path.join(folder, SOCKET))
            process.send_signal(signal.SIGTERM)
            output = process.communicate(timeout=300)[0]
        except (OSError, http.client.HTTPException, subprocess.TimeoutExpired) as error:
            os.killpg(process.pid, signal.SIGKILL)
            answers, output = [(0, repr(error))], process.communicate()[0]
        fine = "%d answers are fine\n" % sum(status == 200 for status, _ in answers)
        return traced.Run(process.returncode, (fine + "\n".join(map(repr, answers))).encode(), output, folder)

    @staticmethod
    def ask(process, path):
        """[(status, body)] of all requests; each tenth comes through a new connection."""
        until = time.monotonic() + 120
        while not connects(path) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        answers = []
        for number in range(REQUESTS):
            if number % 10 == 0:
                connection = Connection(path)
            connection.request("GET", "/item/%d?name=n%d" % (number, number) if number % 5 else "/page")
            response = connection.getresponse()
            answers.append((response.status, response.read()))
            if number % 10 == 9:
                connection.close()
        return answers


class Embedded(Served):
    """A program that embeds the environment's Python, installed beside it."""

    def command(self, python):
        place = os.path.dirname(python)
        return [os.path.join(place, self.arguments[0])] + list(self.arguments[1:]) + ["--home", os.path.dirname(place)]


def connects(path):
    try:
        connection = Connection(path)
        connection.connect()
        connection.close()
    except OSError:
        return False
    return True


def command(*arguments):
    """A program that ends by itself."""
    return lambda python, folder, environment: traced.run([python] + list(arguments), folder, environment, timeout=900)


def plain_text(text, folder):
    """TEXT without times, process ids and its own folder, in an order that does not depend on which process is first."""
    text = text.replace(folder.encode(), b".")
    for pattern, word in CHANGING:
        text = pattern.sub(word, text)
    # pytest's line of results: of two processes one is quicker than the other, now this, now that.
    return sorted(bytes(sorted(line)) if re.match(rb"^[.FsE]+(?=#|$)", line) else line for line in text.splitlines())


def tree(folder):
    return sorted(os.path.relpath(os.path.join(place, name), folder) for place, folders, files in os.walk(folder)
                  for name in folders + files if not name.endswith((".tms", ".live", ".pyc")))


class Tester(object):
    def __init__(self, options, checks, folder, interpreter, python):
        self.checks, self.folder, self.interpreter, self.python = checks, folder, interpreter, python
        self.library, self.wanted = options.library, [name for name in options.cases.split(",") if name]
        self.snapshots = transparency.Tester(options, checks, folder)

    def case(self, name, start, words, program, snapshots, keeps_tree=True):
        """WORDS are in the output of a run that did what it should.  PROGRAM (or None) has the line that must be the
        largest of one snapshot."""
        checks = self.checks
        if self.wanted and not any(name.startswith(one) for one in self.wanted):
            return
        checks.begin("%s %s" % (self.interpreter.label, name))
        variables = {"PYTHONPATH": transparency.APPLICATIONS, "JUPYTER_PLATFORM_DIRS": "1"}
        plain, done = [start(self.python, self.folder.fresh(kind), self.interpreter.environment(
            **dict(variables, **more))) for kind, more in (("p", {}), ("t", {"LD_PRELOAD": self.library}))]
        checks.that(words in plain.stdout, "it works without", (plain.code, plain.stdout, plain.stderr))
        checks.equal(done.code, plain.code, "exit code")
        checks.equal(plain_text(done.stdout, done.folder), plain_text(plain.stdout, plain.folder), "stdout or answers")
        checks.equal(plain_text(done.stderr, done.folder), plain_text(plain.stderr, plain.folder), "stderr")
        if keeps_tree:
            checks.equal(tree(done.folder), tree(plain.folder), "files left beside ours")
        checks.that(len(done.snapshots()) >= snapshots, "snapshots left", "%d, expected %d: %s" % (
            len(done.snapshots()), snapshots, done.names()))
        for path in done.snapshots():
            self.snapshots.check_snapshot(self.interpreter, None, path)
        if program:
            line = transparency.application(program), transparency.marked_line(transparency.application(program))
            tops = [self.snapshots.top(path) for path in done.snapshots() + done.stores()]
            checks.that(line in tops, "the largest line is the one that keeps", (line, tops))
        print("       %d snapshots, %d stores of killed processes" % (len(done.snapshots()), len(done.stores())))
        checks.end()

    def all_cases(self):
        gunicorn = ("-m", "gunicorn", "--bind", "unix:" + SOCKET, "--workers", "2", "--no-control-socket",
                    "--graceful-timeout", "120", "--timeout", "300", "--worker-class")
        for kind, more in (("sync", ()), ("gthread", ("--threads", "4")), ("gevent", ())):
            self.case("gunicorn " + kind, Served(*(gunicorn + (kind,) + more + ("served_wsgi:app",))), FINE,
                      "served_wsgi", 3)
        if self.has_uwsgi():
            uwsgi = ("uwsgi", "--http-socket", SOCKET, "--master", "--processes", "2", "--module", "served_wsgi:app",
                     "--disable-logging", "--die-on-term", "--add-header", "Connection: close")
            self.case("uWSGI", Embedded(*uwsgi), FINE, "served_wsgi", 3)
            self.case("uWSGI lazy", Embedded(*(uwsgi + ("--lazy-apps",))), FINE, "served_wsgi", 3)
        self.case("uvicorn", Served("-m", "uvicorn", "--uds", SOCKET, "--no-access-log", "served_asgi:app"), FINE,
                  "served_asgi", 0)
        self.case("multiprocessing.Pool", command(transparency.application("pool_tasks")), b"333283335000",
                  "pool_tasks", 10)
        self.case("Celery", command(transparency.application("celery_tasks")), b"41541750", "celery_tasks", 3,
                  keeps_tree=False)
        self.case("pytest with xdist", command("-m", "pytest", "-n", "2", "-q", "-p", "no:cacheprovider", "--rootdir", ".",
                                               transparency.application("xdist_cases")),
                  b"1 failed, 58 passed, 1 skipped", "xdist_cases", 3)
        self.case("Jupyter kernel", command(transparency.application("notebook")), b"alive: False", None, 1)
        wheels = self.wheels()
        if wheels is None:
            self.checks.skip("%s pip" % self.interpreter.label, "there is no registry to fetch a package from")
            return
        self.case("pip", command("-m", "pip", "install", "--no-index", "--no-deps", "--disable-pip-version-check", "--target",
                                 "out", "--find-links", wheels, "six"),
                  b"Successfully installed six", None, 1)

    def has_uwsgi(self):
        """There are no wheels of it: it is compiled."""
        program = os.path.join(os.path.dirname(self.python), "uwsgi")
        if self.wanted and not any("uWSGI".startswith(one[:5]) for one in self.wanted):
            return False
        try:
            if not os.path.exists(program):
                environments.run([self.python, "-m", "pip", "install", "--quiet", "uwsgi"], 900)
        except (subprocess.SubprocessError, OSError):
            self.checks.skip("%s uWSGI" % self.interpreter.label, "it cannot be installed")
            return False
        return True

    def wheels(self):
        """A folder with a package, None where none can be fetched: the environment may be older than the network."""
        folder = self.folder.fresh("wheels")
        try:
            environments.run([self.python, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, "six"], 300)
        except (subprocess.SubprocessError, OSError):
            return None
        return folder


def main():
    parser = traced.arguments(__doc__)
    parser.add_argument("--cases", default="", help="how the names of the cases begin, separated by commas (default: all)")
    options = parser.parse_args()
    options.library = os.path.abspath(options.library)
    checks = traced.Checks()
    interpreter = environments.newest(interpreters.select(options.pythons, python3_only=True))
    python, why = environments.prepare(interpreter, PACKAGES, modules=PACKAGES.values()) if interpreter else (
        None, "no interpreter can make an environment")
    if python is None:
        print("left out: %s" % why)
        return 77
    with traced.Folder() as folder:
        Tester(options, checks, folder, interpreter, python).all_cases()
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
