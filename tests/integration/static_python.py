# SPDX-License-Identifier: MIT
"""Makes a static executable of a Python that is installed with a shared library and its archive beside it.

Such builds, as those of Debian and Ubuntu, call inside themselves directly: nothing of theirs can be replaced by symbol.
"""
import os
import subprocess

# An executable that keeps to itself what begins with _Py_h and _Py_t: the tables of the tracer, or its flag.
WITHOUT_TABLES = "{ Py*; _Py[A-Z]*; _Py_[!ht]*; };\n"

ASK = r"""
import os, sys, sysconfig
value = sysconfig.get_config_var
folder = value('LIBPL') or ''
print('\n'.join([os.path.join(folder, 'python.o'), os.path.join(folder, value('LIBRARY') or ''), sysconfig.get_path('stdlib'),
                 ' '.join(filter(None, (value('LIBS'), value('SYSLIBS'), value('LIBM'))))]))
"""


def link(interpreter, folder, exports=None):
    """Path of the executable in FOLDER, and None; or None, and why there is none.  EXPORTS: text for the linker's
    --dynamic-list."""
    main, archive, library, flags = subprocess.check_output([interpreter.path, "-c", ASK]).decode().splitlines()
    for path in (main, archive):
        if not os.path.isfile(path):
            return None, "there is no %s" % path
    os.mkdir(os.path.join(folder, "bin"))
    os.symlink(os.path.dirname(library), os.path.join(folder, "lib"))  # where it looks for its standard library
    target = os.path.join(folder, "bin", os.path.basename(library))
    export = ["-rdynamic"]
    if exports is not None:
        export = ["-Wl,--dynamic-list=" + os.path.join(folder, "exports")]
        with open(os.path.join(folder, "exports"), "w") as stream:
            stream.write(exports)
    done = subprocess.run(["gcc", "-o", target, main, "-Wl,--whole-archive", archive, "-Wl,--no-whole-archive"] + export +
                          flags.split(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return (target, None) if done.returncode == 0 else (None, done.stdout.decode(errors="replace"))
