#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Names of machine frames from a debuginfod server, which is a stub in this process: asked only when DEBUGINFOD_URLS is
set, by build id, for the file or for its separate symbols; and what is said when it does not know."""
import ctypes
import http.server
import os
import shutil
import subprocess
import sys
import threading

import interpreters
import native
import symbols
import traced

VARIABLES = ("DEBUGINFOD_URLS", "DEBUGINFOD_CACHE_PATH")


class Stub(http.server.ThreadingHTTPServer):
    """Serves FILES, a path for each '/buildid/ID/KIND'; ASKED are the paths that were asked for."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.files, self.asked = {}, []

    def url(self):
        return "http://127.0.0.1:%d" % self.server_address[1]


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        path = self.server.files.get(self.path)
        if path is None:
            self.send_error(404)
            return
        with open(path, "rb") as file:
            body = file.read()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def ask_at(url, folder):
    """What is read from now on may ask at URL, None: nowhere; nothing is remembered from before."""
    for name in VARIABLES:
        os.environ.pop(name, None)
    if url is not None:
        os.environ["DEBUGINFOD_URLS"] = url
        os.environ["DEBUGINFOD_CACHE_PATH"] = folder.fresh("cache")


class Case(traced.Tester):
    """A snapshot whose module can be taken away: KEPT has all of it, CODE no symbols, DEBUG the symbols only."""

    def make(self):
        module = native.build(native.include_folder(self.interpreter), self.folder.fresh("module"))
        done = traced.run([self.interpreter.path, native.PROGRAM, os.path.dirname(module)], self.folder.fresh(),
                          self.interpreter.environment(LD_PRELOAD=self.options.library, TRACEMALLOC_NATIVE="native",
                                                       TRACEMALLOC_NFRAME="64"))
        self.module, self.snapshot = module, done.snapshots()[0]
        self.place = "/buildid/%s/" % symbols.build_id(module)
        self.kept, self.code, self.debug = (module + end for end in (".kept", ".code", ".debug"))
        shutil.copy(module, self.kept)
        subprocess.check_call(["objcopy", "--only-keep-debug", module, self.debug])
        subprocess.check_call(["objcopy", "--strip-all", module, self.code])
        os.remove(module)

    def rows(self):
        return symbols.statistics(self.options, self.snapshot)

    def only_when_asked_for(self, stub):
        stub.files = {self.place + "executable": self.kept, self.place + "debuginfo": self.debug}
        for url in (None, ""):
            ask_at(url, self.folder)
            symbols.check_unnamed(self.checks, self.rows(), self.module, "DEBUGINFOD_URLS=%r" % url)
        self.checks.equal(stub.asked, [], "what was asked without being allowed to")

    def file_that_is_gone(self, stub):
        ask_at(stub.url(), self.folder)
        symbols.check_named(self.checks, self.rows(), self.module, "whole file")
        self.checks.that(self.place + "executable" in stub.asked, "the file was asked for", stub.asked)
        stub.asked.clear()
        symbols.check_named(self.checks, self.rows(), self.module, "from the cache")
        self.checks.that(not any(self.place in path for path in stub.asked), "and once only", stub.asked)

    def separate_symbols(self, stub):
        ask_at(stub.url(), self.folder)
        shutil.copy(self.code, self.module)
        stub.files = {self.place + "debuginfo": self.debug}
        symbols.check_named(self.checks, self.rows(), self.module, "symbols only")
        os.remove(self.module)

    def unknown_there(self, stub):
        stub.files = {}
        for url in (stub.url(), "http://127.0.0.1:1"):
            ask_at(url, self.folder)
            symbols.check_unnamed(self.checks, self.rows(), self.module, "at %s" % url)
            text = traced.report(self.options.report, "traceback", self.snapshot)
            self.checks.that("%s is not here: no names; wanted is build id" % self.module in text, "note", text)

    def another_file(self, stub):
        """A server that answers with what was not asked for is not believed."""
        other = os.path.join(self.folder.fresh("other"), "other.so")
        subprocess.check_call([os.environ.get("CC", "cc"), "-x", "c", "-g", "-fPIC", "-shared", "-Wl,--build-id", "-o", other,
                               "-"], stdin=subprocess.DEVNULL)
        ask_at(stub.url(), self.folder)
        stub.files = {self.place + kind: other for kind in ("executable", "debuginfo")}
        symbols.check_unnamed(self.checks, self.rows(), self.module, "answered with another file")


def check(options, checks, folder, interpreter):
    os.environ["no_proxy"] = "127.0.0.1"  # the stub is here, whatever proxy leads to the world
    case = Case(options, checks, folder, interpreter)
    case.make()
    with Stub() as stub:
        threading.Thread(target=stub.serve_forever, daemon=True).start()
        for part in (case.only_when_asked_for, case.file_that_is_gone, case.separate_symbols, case.unknown_there,
                     case.another_file):
            part(stub)
        stub.shutdown()


def has_client():
    """Whether elfutils can ask a server here: it looks for this library when it first wants to."""
    try:
        ctypes.CDLL("libdebuginfod.so.1")
        return True
    except OSError:
        return False


def main():
    options = traced.arguments(__doc__).parse_args()
    chosen = [one for one in interpreters.select(options.pythons) if native.include_folder(one)]
    why = symbols.why_not(options, chosen) or (None if has_client() else "there is no libdebuginfod")
    if why is not None:
        print("skipped: " + why)
        return 77
    return traced.on_each(options, chosen[-1:], "debuginfod", check)


if __name__ == "__main__":
    sys.exit(main())
