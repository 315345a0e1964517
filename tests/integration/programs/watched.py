# SPDX-License-Identifier: MIT
"""Code that is watched: sys.settrace with lines and opcodes, sys.setprofile, sys.monitoring, bdb, cProfile, changed lines."""
from measuring import measure

import bdb
import cProfile
import sys

events = []


def work(number):
    made = []
    for step in range(number):
        made.append([step] * 3)
        if step % 2:
            made.append({"step": step})
    return made


def tracer(frame, event, argument):
    events.append((event, frame.f_lineno))
    if hasattr(frame, "f_trace_opcodes"):
        frame.f_trace_opcodes = frame.f_code.co_name == "small"
    return tracer


def small(value):
    pair = [value, [value]]
    return {"pair": pair}


def profiler(frame, event, argument):
    events.append([event])


def traced():
    sys.settrace(tracer)
    try:
        return work(8), [small(number) for number in range(4)]
    finally:
        sys.settrace(None)


def profiled():
    sys.setprofile(profiler)
    try:
        return work(8), sorted([3, 1, 2], key=lambda value: [value])
    finally:
        sys.setprofile(None)


def jumping():
    """The tracer moves the next line."""
    done = []

    def jump(frame, event, argument):
        if event == "line" and frame.f_lineno == frame.f_code.co_firstlineno + 2:
            frame.f_lineno = frame.f_code.co_firstlineno + 3
            done.append(event)
            return None
        return jump

    def skips():
        first = ["first"]
        second = ["skipped"] * 9
        third = ["third"] * 5
        return first, third

    sys.settrace(jump)
    try:
        return skips(), done
    finally:
        sys.settrace(None)


class Debugger(bdb.Bdb):
    def user_line(self, frame):
        events.append(("line", frame.f_lineno))
        self.set_step()

    def user_return(self, frame, value):
        events.append([type(value).__name__])


def monitored():
    if not hasattr(sys, "monitoring"):
        return None
    monitoring = sys.monitoring
    monitoring.use_tool_id(4, "watched")
    heard = []
    monitoring.register_callback(4, monitoring.events.LINE, lambda code, line: heard.append([line]))
    monitoring.register_callback(4, monitoring.events.PY_START, lambda code, offset: monitoring.DISABLE)
    monitoring.set_local_events(4, work.__code__, monitoring.events.LINE)
    monitoring.set_events(4, monitoring.events.PY_START | monitoring.events.CALL)
    made = work(10)
    monitoring.set_events(4, 0)
    made += work(3)
    monitoring.set_local_events(4, work.__code__, 0)
    monitoring.free_tool_id(4)
    return heard, made, work(2)


first = [traced() for _ in range(3)]
second = [profiled() for _ in range(3)]
third = jumping()
fourth = Debugger().runcall(work, 6)
profile = cProfile.Profile()
fifth = profile.runcall(work, 20)
profile.create_stats()
sixth = monitored()
seventh = [work(5) for _ in range(30)]  # nobody watches any more: specialised anew

measure()
