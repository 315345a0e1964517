/* SPDX-License-Identifier: MIT */
/* CPython's module _tracemalloc (3.8 to 3.12): its flag and its functions.  For exact_mode.c only.
 *
 * No module object is made: its names would be found by the program's own import instead of being made by it (3.12
 * never frees them), and the interpreter's tables of modules would grow elsewhere.  All that is needed is static data.
 *
 * Source   Include/moduleobject.h, Include/methodobject.h, Modules/_tracemalloc.c, Python/tracemalloc.c.
 * Threads  the GIL is held by the caller of everything here. */
#ifndef TM_RUNTIME_HOOK_TRACEMALLOC_MODULE_H
#define TM_RUNTIME_HOOK_TRACEMALLOC_MODULE_H

#include <stdbool.h>

#include "runtime/hook/elf_object.h"

/* PyMethodDef, the same since 2.x. */
struct tm_method {
    const char *name;
    void *(*call)(void *module, void *first, void *second, void *third);
    int flags;
    const char *doc;
};

struct tm_tracemalloc_module {
    int *tracing;               /* the flag that every birth asks */
    const int *traceback_limit; /* stays set while the module is stopped */
    int *use_domain;            /* 3.8: set before it is initialised, keys of its table say their domain; or NULL */
    struct tm_method *methods;  /* of the module's definition, ended by a NULL name */
    struct tm_method start;     /* as they were when the module was found */
    struct tm_method stop;
};

/* Finds the module in INTERPRETER and fills MODULE.  NULL, or a static text that says what is not as expected. */
const char *tm_tracemalloc_module_find(struct tm_tracemalloc_module *module, const struct tm_elf_object *interpreter);

/* Call the module's functions start(the limit that is set), which initialises it the first time, and stop().  False: it
 * raised (cleared).  An error that is set when start is called stays set. */
bool tm_tracemalloc_module_start(const struct tm_tracemalloc_module *module);
bool tm_tracemalloc_module_stop(const struct tm_tracemalloc_module *module);

#endif
