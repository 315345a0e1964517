/* SPDX-License-Identifier: MIT */
/* What the hooks (python_hooks.c) and their installation (python_install.c) share.  Nobody else includes it. */
#ifndef TM_RUNTIME_HOOK_PYTHON_DOORS_H
#define TM_RUNTIME_HOOK_PYTHON_DOORS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/hook/allocator_chain.h"
#include "runtime/hook/door.h"
#include "runtime/hook/moments.h"
#include "runtime/hook/recycle_hooks.h"
#include "runtime/os/thread_state.h"

#define TM_PYTHON_DOMAINS 3U

/* One installation.  Begins with the allocator behind it, as the contexts of the tracemalloc module's hooks do: where
 * another thread sees half of a change of hooks, either function finds what it looks for in either context. */
struct tm_python_hook {
    struct tm_cpython_allocator real;
    struct tm_cpython_allocator inner; /* over debug hooks: what they wrapped when we were installed */
    enum tm_layer over;
    /* Our functions in each domain, several of which may have the same allocator behind: see end_hooks.h. */
    struct tm_cpython_allocator usual[TM_PYTHON_DOMAINS];
};

/* Per domain, read by each event. */
struct tm_python_door {
    const void *quick;     /* the hook whose calls need no look; NULL: all need one */
    const uintptr_t *word; /* first word of CPython's own record of the domain's allocator: the context on top */
    const void *top;       /* our newest hook; NULL: it is not on top */
};

extern TM_HIDDEN struct tm_python_door tm_python_doors[TM_PYTHON_DOMAINS];

/* Our functions of a domain; the context is for the caller to fill in.  IS_QUICK: CPython's own allocator of small
 * blocks is behind, which serves them without a call of another door and looks at no context. */
struct tm_cpython_allocator tm_python_functions(unsigned domain, enum tm_layer over, bool is_quick);

tm_layer_is_ours tm_python_is_ours;

/* The functions of ALLOCATOR lie in the interpreter, so its raw ones ask malloc. */
bool tm_python_is_interpreters(const struct tm_cpython_allocator *allocator);

/* Whether a call of the hook CTX that is not the usual one is to be recorded.   errno  kept. */
bool tm_python_look(struct tm_thread *thread, const void *ctx, unsigned domain);

/* PyMem_SetupDebugHooks, called again by an embedding program while our hook lies over the debug hooks (seen up to
 * 3.11), makes these wrap our hook: calling them would not end.  What they wrapped before is then the allocator behind
 * our hook. */
TM_INLINE bool tm_python_is_wrapped(const struct tm_python_hook *hook, bool over_debug)
{
    return over_debug && TM_UNLIKELY(tm_allocator_behind_debug(hook->real.ctx)->ctx != hook->inner.ctx);
}

TM_INLINE const struct tm_cpython_allocator *tm_python_behind(const struct tm_python_hook *hook, bool over_debug)
{
    return tm_python_is_wrapped(hook, over_debug) ? &hook->inner : &hook->real;
}

/* The call of the hook CTX needs no look. */
TM_INLINE bool tm_python_is_usual(const void *ctx, unsigned domain, bool over_debug)
{
    /* What the tracemalloc module allocates for itself comes through raw, so a module that has just started is noticed
     * there at once; the other domains need no such test. */
    return tm_python_doors[domain].quick == ctx &&
           (domain != TM_CPYTHON_RAW || *tm_python_doors[domain].word == (uintptr_t)ctx) &&
           !tm_python_is_wrapped(ctx, over_debug);
}

/* The same while an interpreter starts: a look would find nothing to do. */
TM_INLINE bool tm_python_is_starting(const void *ctx, unsigned domain)
{
    return tm_moments_show_no_start() && tm_python_doors[domain].top == ctx &&
           *tm_python_doors[domain].word == (uintptr_t)ctx && tm_doors_are_open && !tm_recycle_tracer_is_awaited;
}

TM_INLINE bool tm_python_hears(struct tm_thread *thread, const void *ctx, unsigned domain, bool over_debug)
{
    if (TM_UNLIKELY(thread->guard != 0)) {
        return false;
    }
    return TM_LIKELY(tm_python_is_usual(ctx, domain, over_debug)) || tm_python_look(thread, ctx, domain);
}

/* Behind a door that is up, or behind the tracemalloc module for its own sake: nothing new is recorded. */
void *tm_python_realloc_unheard(struct tm_thread *thread, const struct tm_cpython_allocator *real, void *block,
                                size_t size);

/* A free that no quick way serves.  The arguments are a free hook's own, so that it is called without moving them. */
void tm_python_free_generally(const struct tm_cpython_allocator *real, void *block);

#endif
