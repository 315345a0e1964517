/* SPDX-License-Identifier: MIT */
/* What the hooks (python_hooks.c) and their installation (python_install.c) share.  Nobody else includes it. */
#ifndef TM_RUNTIME_HOOK_PYTHON_DOORS_H
#define TM_RUNTIME_HOOK_PYTHON_DOORS_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/hook/allocator_chain.h"
#include "runtime/os/thread_state.h"

#define TM_PYTHON_DOMAINS 3U

/* One installation.  Begins with the allocator behind it, as the contexts of the tracemalloc module's hooks do: where
 * another thread sees half of a change of hooks, either function finds what it looks for in either context. */
struct tm_python_hook {
    struct tm_cpython_allocator real;
    struct tm_cpython_allocator inner; /* over debug hooks: what they wrapped when we were installed */
    enum tm_layer over;
};

/* Per domain, read by each event. */
struct tm_python_door {
    const void *quick;     /* the hook whose calls need no look; NULL: all need one */
    const uintptr_t *word; /* first word of CPython's own record of the domain's allocator: the context on top */
};

extern struct tm_python_door tm_python_doors[TM_PYTHON_DOMAINS];

/* Our functions of a domain; the context is for the caller to fill in. */
struct tm_cpython_allocator tm_python_functions(unsigned domain, bool over_debug);

tm_layer_is_ours tm_python_is_ours;

/* Whether a call of the hook CTX that is not the usual one is to be recorded.   errno  kept. */
bool tm_python_look(struct tm_thread *thread, const void *ctx, unsigned domain);

#endif
