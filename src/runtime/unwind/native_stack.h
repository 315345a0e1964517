/* SPDX-License-Identifier: MIT */
/* Machine frames of the calling thread, found by call frame information: no frame pointers are needed, nothing is
 * allocated, no lock is taken (but see loaded_module.h for old libcs).
 *
 * Why not libunwind here: its static archive is not position independent where distributions build it, so that it cannot
 * become a part of this library; at an instruction that is new it calls dl_iterate_phdr under a lock of its own, which
 * two threads can take in different order; and it asks the kernel to block signals at every step.
 * Threads  each walks its own stack.   Signals  the guard is up.   errno  kept.
 * Errors   none: a stack that cannot be followed ends early.   Other machines than x86-64: no frames. */
#ifndef TM_RUNTIME_UNWIND_NATIVE_STACK_H
#define TM_RUNTIME_UNWIND_NATIVE_STACK_H

#include "runtime/os/thread_state.h"
#include "runtime/unwind/step_cache.h"

struct tm_native_frame {
    uintptr_t pc; /* the instruction that runs: of a caller the last byte of its call */
    uintptr_t sp; /* its stack pointer: what it owns on the stack begins here and ends where its caller's begins */
};

/* Our own code: frames of it at the newest end are left out. */
struct tm_native_skip {
    uintptr_t low;
    uintptr_t high;
};

/* Writes at most LIMIT frames, most recent first; returns their number.  *END becomes where the oldest of them ends. */
unsigned tm_native_stack_walk(struct tm_thread *thread, struct tm_step_cache *cache, const struct tm_native_skip *skip,
                              struct tm_native_frame *frames, unsigned limit, uintptr_t *end);

#endif
