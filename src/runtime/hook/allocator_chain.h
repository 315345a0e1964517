/* SPDX-License-Identifier: MIT */
/* What lies on what in one of CPython's allocator domains (PEP 445), found by looking, without calling any of it.
 *
 * CPython's own layers keep their state in the interpreter's data: the context of the tracemalloc module's hooks is
 * the allocator behind them; the context of the debug hooks is a letter (r, m, o) followed by the allocator behind
 * them.  That holds from 3.6 to 3.15.  Probing by an allocation instead would crash: mem and obj need a thread state
 * from 3.12 on, and the debug hooks check for the GIL.
 *
 * Threads  any; the chain must not be changed meanwhile (the caller holds the GIL or no Python runs yet). */
#ifndef TM_RUNTIME_HOOK_ALLOCATOR_CHAIN_H
#define TM_RUNTIME_HOOK_ALLOCATOR_CHAIN_H

#include <stdbool.h>

#include "runtime/hook/elf_object.h"
#include "runtime/unwind/cpython_runtime.h"

enum tm_layer {
    TM_LAYER_PLAIN,       /* an allocator: nothing of CPython's known layers */
    TM_LAYER_OURS,        /* one of our hooks */
    TM_LAYER_DEBUG,       /* PyMem_SetupDebugHooks */
    TM_LAYER_TRACEMALLOC, /* the tracemalloc module */
};

/* True when ALLOCATOR's functions are ours. */
typedef bool tm_layer_is_ours(const struct tm_cpython_allocator *allocator);

struct tm_allocator_chain {
    struct tm_elf_range data; /* of the interpreter */
    tm_layer_is_ours *is_ours;
};

/* What ALLOCATOR is; for the debug and tracemalloc layers *BEHIND is the allocator behind it, in CPython's memory. */
enum tm_layer tm_allocator_layer(const struct tm_allocator_chain *chain, const struct tm_cpython_allocator *allocator,
                                 const struct tm_cpython_allocator **behind);

/* Our first hook in or under TOP, or NULL. */
const struct tm_cpython_allocator *tm_allocator_chain_ours(const struct tm_allocator_chain *chain,
                                                           const struct tm_cpython_allocator *top);

/* The debug layer's own view of what it wraps: CONTEXT is its context. */
const struct tm_cpython_allocator *tm_allocator_behind_debug(const void *context);

#endif
