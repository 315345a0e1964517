/* SPDX-License-Identifier: MIT */
/* The part of the calling thread's stack that was found to be readable: one comparison for each word that is read, one
 * system call for each page that is new.
 *
 * Where a stack ends cannot be asked without an allocation, and a program may run on stacks of its own (fibers,
 * sigaltstack).  So no end is assumed: the window grows with what is read, and begins anew on another stack.
 * Threads  each has its own window.   Signals  the guard is up, so that a handler does not come in.   errno  kept. */
#ifndef TM_RUNTIME_OS_STACK_WINDOW_H
#define TM_RUNTIME_OS_STACK_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/os/thread_state.h"

/* Takes the page of ADDRESS into the window.  False: it cannot be read. */
TM_CHECKED bool tm_stack_window_widen(struct tm_thread *thread, uintptr_t address);

/* May the word at ADDRESS be read, a multiple of its size? */
TM_INLINE bool tm_stack_window_has(struct tm_thread *thread, uintptr_t address)
{
    return TM_LIKELY(address - thread->stack_low < thread->stack_size) || tm_stack_window_widen(thread, address);
}

#endif
