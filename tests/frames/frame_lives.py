# SPDX-License-Identifier: MIT
"""Thread states in the corners of an interpreter's life: before and after it, sub-interpreters, dying threads, fork.
Usage: frame_lives.py PROBE.so; exit code 1 on a fault."""
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap

from frame_check import Probe

VERSION = sys.version_info[:2]
HERE = os.path.dirname(os.path.abspath(__file__))
probe = Probe(sys.argv[1])
faults = []
PRELUDE = ('import sys\nsys.path.insert(0, %r)\nfrom frame_check import Probe\nprobe = Probe(%r)\ncheck = probe.check\n'
           'check("prelude")\n') % (
    HERE, sys.argv[1])


def run(label, source, wanted_code=0):
    """Runs SOURCE in a fresh process of this interpreter."""
    child = subprocess.Popen([sys.executable, '-c', PRELUDE + textwrap.dedent(source)],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out = child.communicate()[0].decode('utf-8', 'replace')
    if child.returncode != wanted_code:
        faults.append('%s: exit code %d: %s' % (label, child.returncode, out[-600:]))
    return out


def at_exit():
    """After Py_Finalize the reader finds no state, and does not crash looking for one."""
    folder = tempfile.mkdtemp()
    try:
        path = os.path.join(folder, 'exit')
        run('exit', 'check("before")\nprobe.with_gil.probe_watch_exit(%r)\n' % path.encode('ascii'))
        with open(path) as f:
            text = f.read()
        # Not initialized any more, no GIL, no frame.
        if text != '0 0 0\n':
            faults.append('exit: %r' % text)
    finally:
        shutil.rmtree(folder)


def daemon_threads():
    """Threads that run without the GIL while the interpreter goes away.  They walk until then: in its end whoever frees
    their states has to wait for walks, which is the tracker's part (tests/integration/daemon_threads.py).  After that
    they only ask for their state."""
    for _ in range(3):
        run('daemon threads', '''
            import atexit, ctypes, threading, time
            flags = ctypes.c_int()
            ending = threading.Event()
            walkers = []
            def work():
                buffer = ctypes.create_string_buffer(1 << 16)
                while not ending.is_set():
                    probe.without_gil.probe_stack(buffer, 1 << 16, 100, 0, ctypes.byref(flags))
                walkers.remove(threading.current_thread())
                while True:
                    probe.without_gil.probe_time(1, 0, 1000)
            def end():
                ending.set()
                while walkers:
                    time.sleep(0.001)
            atexit.register(end)
            for _ in range(3):
                t = threading.Thread(target=work)
                t.daemon = True
                walkers.append(t)
                t.start()
            check('main')
            probe.with_gil.probe_spin(2, 20)
            sys.exit(0)
            ''')


def forked():
    run('fork', '''
        import os, threading
        stop = threading.Event()
        t = threading.Thread(target=stop.wait)
        t.start()
        pid = os.fork()
        if pid == 0:
            check('child')
            os._exit(1 if probe.faults else 0)
        stop.set()
        check('parent')
        code = os.waitpid(pid, 0)[1]
        sys.exit(1 if code or probe.faults else 0)
        ''')


def subinterpreters():
    names = ['_interpreters', '_xxsubinterpreters']
    source = 'import sys\nsys.path.insert(0, %r)\nfrom frame_check import Probe\nprobe = Probe(%r)\n' % (HERE, sys.argv[1])
    # One GIL for all: any state is as good as the main interpreter's, but before 3.12 only the getter for holders of
    # the GIL knows the state of a sub-interpreter.
    own_gil = VERSION >= (3, 13)
    if VERSION < (3, 8):
        return
    main = VERSION < (3, 12)
    source += '''
def f(label):
    import ctypes, sys
    flags = ctypes.c_int()
    n = probe.with_gil.probe_stack(probe.buffer, probe.size, 100, 1, ctypes.byref(flags)); frame = sys._getframe(); line = frame.f_lineno
    probe._compare(label, n, frame, line, flags.value, 100, %s)
f("sub-interpreter")
assert not probe.faults, probe.faults
''' % ('flags.value & 1 | 2' if main else '1')
    run('sub-interpreter', '''
        import importlib
        for name in %r:
            try:
                m = importlib.import_module(name)
                break
            except ImportError:
                pass
        else:
            sys.exit(0)
        def create():
            if %r:
                return m.create('isolated') if name == '_interpreters' else m.create(isolated=True)
            try:
                return m.create(isolated=False)
            except TypeError:
                return m.create('legacy') if %r >= (3, 13) else m.create()
        i = create()
        e = m.run_string(i, %r)
        check('main')
        if e is not None or probe.faults:
            print(e, probe.faults)
            sys.exit(1)
        m.destroy(i)
        ''' % (names, own_gil, VERSION, source))


def embedded():
    """Looked at before Py_Initialize, between two lives, and after the last."""
    library = None
    import sysconfig
    folder, name = sysconfig.get_config_var('LIBDIR'), sysconfig.get_config_var('INSTSONAME')
    if folder and name and '.so' in name and os.path.exists(os.path.join(folder, name)):
        library = os.path.join(folder, name)
    host = os.path.join(os.path.dirname(sys.argv[1]), 'frame_host')
    if library is None or not os.path.exists(host):
        print('  no shared library of this interpreter: embedding left out')
        return
    environment = dict(os.environ, PYTHONHOME=sys.prefix, PYTHONPATH='')
    for mode in ('local', 'global'):
        child = subprocess.Popen([host, library, mode], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 env=environment)
        out = child.communicate()[0].decode('utf-8', 'replace')
        if child.returncode != 0:
            faults.append('embedded, %s: exit code %d: %s' % (mode, child.returncode, out[-600:]))


def main():
    at_exit()
    if VERSION >= (3, 6):
        daemon_threads()
    forked()
    subinterpreters()
    embedded()
    print('%s: lives, %d faults' % ('.'.join(map(str, sys.version_info[:3])), len(faults)))
    for fault in faults:
        print('  ' + fault)
    return 1 if faults else 0


if __name__ == '__main__':
    code = main()
    sys.stdout.flush()
    sys.exit(code)
