/* SPDX-License-Identifier: MIT */
/* A snapshot in the making, which may be left and taken up again: its bytes are made from a copy of the counters, so
 * that only the copying must not be interrupted.
 *
 * Threads  under the snapshot lock; the copy takes the life lock.  Guard up.   errno  kept.
 * Memory   pages: the copy (see runtime/table/store_cut.h) and what the encoder needs, from begin to end. */
#ifndef TM_RUNTIME_TRACK_SNAPSHOT_TASK_H
#define TM_RUNTIME_TRACK_SNAPSHOT_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/table/store_cut.h"
#include "runtime/track/snapshot_facts.h"

enum tm_task_stage {
    TM_TASK_NONE, /* not begun, or ended */
    TM_TASK_PREPARES,
    TM_TASK_CUTS,
    TM_TASK_LOOKS, /* at what is resident */
    TM_TASK_ASKS,  /* the allocators */
    TM_TASK_ENCODES,
    TM_TASK_GIVES_BACK, /* the copy */
    TM_TASK_IS_OVER,
};

/* What a snapshot's file holds. */
struct tm_encoded {
    uint8_t *bytes; /* NULL: none */
    size_t size;
    size_t capacity;
};

struct tm_snapshot_task {
    enum tm_task_stage stage;
    const char *moment;
    bool is_reading; /* names must stay what they are */
    int status;      /* 0 or a negative errno value */
    struct tm_store_cut cut;
    struct tm_snapshot_facts facts;
    struct tm_encoding *encoding;
    struct tm_encoded encoded; /* once it is over with status 0 */
};

/* Pages for the encoder. */
extern const struct tm_encode_memory tm_snapshot_pages;

/* MOMENT is a word for the snapshot.  Nothing is copied yet: with few records
 * the first step copies, with many their pages are touched before. */
void tm_snapshot_task_begin(struct tm_snapshot_task *task, const char *moment);

/* Goes on until it is over or SLICE_NS have passed (UINT64_MAX: until it is over), by one step at least.  A step takes
 * half a millisecond at most, but for those that are whole: the copy, and what is asked of the kernel.  They are begun
 * early in a slice only.  False: it is over. */
bool tm_snapshot_task_run(struct tm_snapshot_task *task, uint64_t slice_ns);

/* Gives back all that it has, wherever it is; nothing where it was not begun. */
void tm_snapshot_task_end(struct tm_snapshot_task *task);

#endif
