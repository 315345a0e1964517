/* SPDX-License-Identifier: MIT */
/* The two moments of an interpreter's life that matter: where `-X tracemalloc` would start, and the end of the program
 * before its modules are torn down.
 *
 * CPython announces neither.  It installs its SIGINT handler during initialisation, right before it starts its own
 * tracing (3.6 to 3.15), and gives SIGINT back during finalisation, after the atexit functions and before the first
 * module dies.  Where that does not come (SIGINT ignored as in background jobs, embedding without signal handlers)
 * every allocation of mem and obj asks the interpreter: see end_hooks.h.
 * Threads  any.   errno  kept. */
#ifndef TM_RUNTIME_HOOK_MOMENTS_H
#define TM_RUNTIME_HOOK_MOMENTS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/hook/elf_object.h"
#include "runtime/os/thread_state.h"

/* OBJECT is the interpreter's ELF object. */
void tm_moments_begin(const struct tm_elf_object *object);

/* A hook of a CPython domain was called in careful mode; ends that mode when nothing is waited for any more. */
void tm_moments_look(struct tm_thread *thread);

/* True while the process's first interpreter is being made: tm_moments_look would find nothing to do.  Some ten
 * thousand calls of hooks come before that is over. */
bool tm_moments_are_before_start(void);

/* The interpreter's own word for being initialised, once a hook was called and until it was seen not to be 0; NULL also
 * where it is not known.  For the next function. */
extern TM_HIDDEN const int *tm_moments_initialized;

/* The same without a call; false also where it cannot be told so. */
TM_INLINE bool tm_moments_show_no_start(void)
{
    const int *const initialized = tm_moments_initialized;
    return TM_LIKELY(initialized != NULL) && __atomic_load_n(initialized, __ATOMIC_RELAXED) == 0;
}

/* True once a hook of a CPython domain was called; the interpreter stays loaded from then on. */
bool tm_moments_have_begun(void);

/* The watch is about to forget the interpreter, perhaps to find it anew: the first hook waits until
 * tm_moments_let_begin. False: it was called already, nothing may be forgotten. */
bool tm_moments_hold_off(void);
void tm_moments_let_begin(void);

/* From libc's doors, now and then. */
void tm_moments_tick(void);

/* A call of sigaction from the address CALLER has succeeded. */
void tm_moments_sigaction(int signal, const struct sigaction *action, const struct sigaction *old_action,
                          uintptr_t caller);

#endif
