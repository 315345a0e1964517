/* SPDX-License-Identifier: MIT */
/* CPython's module _tracemalloc (3.8 to 3.11): its flag, its functions, its table.  For exact_mode.c only.
 *
 * Threads  the GIL is held by the caller of everything here. */
#ifndef TM_RUNTIME_HOOK_TRACEMALLOC_MODULE_H
#define TM_RUNTIME_HOOK_TRACEMALLOC_MODULE_H

#include <stdbool.h>

/* PyMethodDef, the same since 2.x. */
struct tm_method {
    const char *name;
    void *(*call)(void *module, void *first, void *second, void *third);
    int flags;
    const char *doc;
};

/* _Py_hashtable_t of 3.9 to 3.11, as far as it is used. */
struct tm_traces_table {
    unsigned long entries;
    unsigned long buckets;
    void *bucket_array;
    void *(*get_entry)(struct tm_traces_table *table, const void *key);
    void *hash;
    void *compare;
    void *destroy_key;
    void *destroy_value;
    void *allocator[2];
};

struct tm_tracemalloc_module {
    int *tracing;               /* the flag that every birth asks */
    const int *traceback_limit; /* stays set while the module is stopped */
    struct tm_method *methods;  /* of the module's definition, ended by a NULL name */
    struct tm_method start;     /* as they were when the module was opened */
    struct tm_method stop;
    struct tm_traces_table *traces; /* NULL: not found, or of another shape (3.8) */
};

/* Initialises the module as an import would, without entering it in sys.modules, and fills MODULE.  False: there is no
 * such module here, or it is of another shape. */
bool tm_tracemalloc_module_open(struct tm_tracemalloc_module *module);

/* Call the module's functions start(the limit that is set) and stop().  False: it raised (cleared). */
bool tm_tracemalloc_module_start(const struct tm_tracemalloc_module *module);
bool tm_tracemalloc_module_stop(const struct tm_tracemalloc_module *module);

#endif
