/* SPDX-License-Identifier: MIT */
/* Snapshots that the tracer takes by itself while the program runs: each INTERVAL, whenever traced memory has grown
 * past a further THRESHOLD, and when a SIGNAL asked for one.
 *
 * No thread and no timer is started: the doors of mem and obj look every few events, in a process whose options ask for
 * it and in no other (hook/python_hooks.c).  So the caller runs Python code, holds the GIL, is in no signal handler and
 * holds none of our locks.  A process that does nothing is seen from outside, through its store.
 * All of Python waits for who holds the GIL.  So a snapshot that takes longer than a slice is left and taken up again
 * at later looks: only the copy of the counters is made in one piece.
 * errno  kept. */
#ifndef TM_RUNTIME_TRACK_DUE_H
#define TM_RUNTIME_TRACK_DUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/track/snapshot_task.h"

struct tm_due {
    _Atomic uint64_t next_ns;       /* on the clock of tm_process_clock_ns; UINT64_MAX: never */
    _Atomic uint64_t next_bytes;    /* of traced memory; UINT64_MAX: never */
    atomic_bool is_asked;           /* by the signal */
    atomic_bool is_under_way;       /* the task */
    bool is_cut_off;                /* in a forked child: the parent was just working on the task */
    _Atomic uint64_t next_slice_ns; /* not before */
    uint64_t slice_ns;              /* UINT64_MAX: all at once */
    struct tm_snapshot_task task;   /* under the snapshot lock */
};

/* The options of this process ask for such snapshots. */
bool tm_due_is_wanted(void);

/* The process begins, or is a forked child: the interval from now, the next step above what is traced now, nothing
 * under way.  Before there are threads, or under the life lock. */
void tm_due_begin(void);

/* Does at once what is left of a snapshot that is under way: before tracing ends.  ASK_LIBC as for the facts of a
 * snapshot. Under the snapshot lock. */
void tm_due_finish(bool ask_libc);

/* What was traced is forgotten: steps are counted from 0.  Under the life lock. */
void tm_due_forget_steps(void);

#endif
