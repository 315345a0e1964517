/* SPDX-License-Identifier: MIT */
/* A program that loads CPython itself, privately or globally, and looks at its thread states before, between and after
 * two lives of it.  Usage: frame_host LIBRARY local|global; exit code 1 on a fault. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "runtime/unwind/cpython_runtime.h"
#include "runtime/unwind/python_stack.h"

static struct tm_cpython python;
static unsigned faults;

static void expect(bool holds, const char *what)
{
    if (!holds) {
        faults++;
        printf("not so: %s\n", what);
    }
}

static void expect_no_state(const char *moment)
{
    bool holds = true;
    struct tm_raw_frame frame;
    const uintptr_t tstate = tm_cpython_tstate_own(&python, &holds);
    printf("%s\n", moment);
    expect(!tm_cpython_is_initialized(&python), "not initialized");
    expect(!holds, "no GIL");
    expect(tm_python_stack_top(&python.row, tstate, &frame) == 0, "no frame");
}

static void expect_state(void)
{
    bool holds = false;
    const uintptr_t tstate = tm_cpython_tstate_own(&python, &holds);
    expect(tm_cpython_is_initialized(&python), "initialized");
    expect(holds, "the GIL is held");
    expect(tstate != 0 && tstate == tm_cpython_tstate_held(&python), "both getters agree");
    expect(tm_cpython_is_main(&python, tstate) == !python.free_threaded, "main interpreter");
}

static void *symbol(void *library, const char *name)
{
    void *address = dlsym(library, name);
    if (address == NULL) {
        printf("%s is missing\n", name);
    }
    return address;
}

int main(int argc, char **argv)
{
    void (*initialize)(void), (*finalize)(void);
    int (*run)(const char *);
    void *library, *address;
    int life;
    if (argc != 3) {
        return 2;
    }
    expect(!tm_cpython_find(&python) && python.layout == NULL, "no interpreter yet");
    expect(!tm_cpython_find(&python), "still none");
    library = dlopen(argv[1], RTLD_NOW | (strcmp(argv[2], "local") == 0 ? RTLD_LOCAL : RTLD_GLOBAL));
    if (library == NULL) {
        printf("%s\n", dlerror());
        return 1;
    }
    expect(tm_cpython_find(&python), "found");
    expect(python.layout != NULL, python.refusal);
    tm_cpython_pin(&python);
    address = symbol(library, "Py_Initialize");
    memcpy(&initialize, &address, sizeof address);
    address = symbol(library, "Py_Finalize");
    memcpy(&finalize, &address, sizeof address);
    address = symbol(library, "PyRun_SimpleString");
    memcpy(&run, &address, sizeof address);
    expect_no_state("before");
    for (life = 0; life < 2; life++) {
        initialize();
        expect_state();
        expect(run("import sys\ndef f(): return [i for i in range(100)]\nf()\n") == 0, "runs");
        finalize();
        expect_no_state("after");
    }
    printf("%x %u faults\n", python.version, faults);
    return faults != 0;
}
