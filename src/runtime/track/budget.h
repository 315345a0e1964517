/* SPDX-License-Identifier: MIT */
/* TRACEMALLOC_MEMORY_LIMIT: the tracer's own memory, and what it does without when that comes near the limit.
 *
 *   used of the limit   from then on                                               what it bounds
 *   1/2                 tracebacks have a quarter of their frames (no less than 1) tracebacks
 *   5/8                 one frame
 *   3/4                 traces that were not seen before are one: (merged)         names, tracebacks, records
 *   7/8                 one block in 512 KiB is recorded                           the table of live blocks
 *
 * What was recorded stays.  A look comes after so many new records, with each arena of CPython's and with the watch of
 * libc's doors; it costs a comparison unless much has come since the last one.
 * Threads  any, with the guard up or down and without our locks.   errno  kept.   Errors  none. */
#ifndef TM_RUNTIME_TRACK_BUDGET_H
#define TM_RUNTIME_TRACK_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/os/thread_state.h"

struct tm_budget {
    uint64_t limit;                /* bytes; 0: none */
    _Atomic uint64_t next_records; /* so many: look again */
    _Atomic uint64_t next_heap;    /* so many bytes of traced memory: look again */
    _Atomic uint32_t step;         /* how many of the above were taken */
    uint32_t merged_traceback;     /* (merged), once it was made */
    _Atomic bool merges;           /* traces that are not known are merged */
    bool thins;                    /* the doors hear every block, the tracker samples them */
};

/* The options were read. */
void tm_budget_begin(void);

/* Looks whether a step is to be taken.  tm_runtime_look_at_budget is the same for the doors. */
void tm_budget_look(struct tm_thread *thread);

#endif
