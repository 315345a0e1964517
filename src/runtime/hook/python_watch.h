/* SPDX-License-Identifier: MIT */
/* The look from libc's doors whether there is an interpreter, and whether its hooks are still ours.
 *
 * CPython tells nobody that it starts.  But it mallocs and it calls setlocale, so these doors look: every few events
 * until the interpreter is initialised, rarely afterwards.
 * Threads  any; one looks at a time.   errno  kept.   Guard  is up during a look. */
#ifndef TM_RUNTIME_HOOK_PYTHON_WATCH_H
#define TM_RUNTIME_HOOK_PYTHON_WATCH_H

#include "base/compiler.h"
#include "runtime/os/thread_state.h"

/* A look at once: constructor. */
void tm_python_watch_now(struct tm_thread *thread);

/* The same where an interpreter may be about to start (setlocale): another thread's look is waited for, because no
 * other chance may come before the first Python allocation.  At most about 20 milliseconds. */
void tm_python_watch_start(struct tm_thread *thread);

TM_COLD void tm_python_watch_tick(struct tm_thread *thread);

/* Part of every allocation at libc's doors; a thread's first one looks. */
TM_INLINE void tm_python_watch(struct tm_thread *thread)
{
    if (TM_UNLIKELY(thread->ticks-- == 0)) {
        tm_python_watch_tick(thread);
    }
}

#endif
