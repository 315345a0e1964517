# SPDX-License-Identifier: MIT
"""What a mark in the newest frame could mistake, beside stack_changes.py: older frames that are set to another line
while they wait, frames that run on after calls through C in which nothing was allocated, and long waits."""
import gc
import sys
import warnings


class Dying(object):
    def __init__(self, told):
        self.told = told

    def __del__(self):
        told = self.told
        told.append(None)


def cases(keep):
    kept = []

    def trace(frame, event, argument):
        """Told of a line of Dying.__del__, it sets the frame that waits in `del thing` to another line."""
        if event == "line" and frame.f_code.co_name == "__del__":
            waits = frame.f_back
            for line in (3, 5, 4, 3):
                kept.append(bytearray(600 + line))
                waits.f_lineno = waits.f_code.co_firstlineno + line
                kept.append(bytearray(700 + line))
                keep(line)
        return trace

    def waits(size):
        told = [size]
        thing = Dying(told)
        sys._getframe().f_trace = trace
        told.append(size)
        del thing
        kept.append(bytearray(800 + size))
        kept.append(bytearray(810 + size))

    def set_to_other_lines():
        warnings.simplefilter("ignore", RuntimeWarning)  # of 3.12: the deleted name becomes None
        sys.settrace(trace)
        try:
            for size in range(30):
                waits(size)
        finally:
            sys.settrace(None)

    def silent(value):
        return value

    def nothing_in_between():
        """The frame's own events, with calls in between of which nobody hears, through C and not."""
        for size in range(50):
            kept.append(bytearray(600 + size))
            silent(size)
            kept.append(bytearray(600 + size))
            max(size, 1, key=silent)
            kept.append(bytearray(600 + size))

    def yields(size):
        while True:
            kept.append(bytearray(600 + size))
            kept.append(bytearray(600 + size))
            yield size

    def here(generator):
        next(generator)

    def there(generator):
        next(generator); next(generator)

    def resumed_in_turn():
        """One frame, always at the same instruction, below it one caller or the other, and nothing else allocates."""
        generator = yields(3)
        for _ in range(50):
            here(generator)
            there(generator)
            next(generator)

    def collecting():
        """The collector visits frames of generators, marked ones among them."""
        def holds():
            own = []
            own.append(own)
            while True:
                kept.append(bytearray(640))
                gc.collect(0)
                kept.append(bytearray(640))
                sys._getframe().f_locals
                kept.append(bytearray(640))
                yield own
        generators = [holds() for _ in range(5)]
        for _ in range(5):
            for generator in generators:
                next(generator)
        for generator in generators:
            generator.close()

    return [set_to_other_lines, nothing_in_between, resumed_in_turn, collecting]
