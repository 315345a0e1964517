/* SPDX-License-Identifier: MIT */
/* A loaded snapshot: an immutable model in which every id and every reference has been checked.
 *
 * Memory   one malloc'ed model with all that hangs on it; tm_snapshot_free gives everything back.  Spans point into it.
 * Threads  may be read by any number of threads. */
#ifndef TM_REPORT_SNAPSHOT_SNAPSHOT_H
#define TM_REPORT_SNAPSHOT_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/domain_name.h"
#include "format/records.h"

/* Buffers that a model owns: the unpacked sections and the arrays of items. */
#define TM_SNAPSHOT_BUFFERS 48U

struct tm_snapshot {
    const struct tm_meta_record *meta;
    size_t meta_count;
    const struct tm_span *strings; /* by string id; 0 is always there and empty.  Any bytes, mostly UTF-8. */
    uint32_t string_count;
    uint32_t made_strings; /* ids from here on were made by the loader, for frames without a name; 0: none was */
    const struct tm_frame_record *frames;         /* by frame id; 0 is all zeros */
    uint32_t frame_count;                         /* with 0 */
    const struct tm_module_record *modules;       /* by module number; 0 is all zeros */
    uint32_t module_count;                        /* with 0 */
    const struct tm_native_frame_record *natives; /* ascending by frame; named by frames[].native */
    uint32_t native_count;
    struct tm_span symbol_notes;                  /* lines: which objects gave no names, and why.  Not of the file */
    const struct tm_traceback_record *tracebacks; /* by traceback id; 0 is all zeros */
    uint32_t traceback_count;                     /* with 0 */
    const struct tm_counter_record *counters;     /* ascending by (traceback, domain) */
    size_t counter_count;
    const struct tm_counter_record
        *inherited; /* of a forked process: the part of them from before the fork, see the format */
    size_t inherited_count;
    const struct tm_size_class_record *sizes;
    size_t size_count;
    const struct tm_block_record *blocks; /* ascending by (address, domain) */
    size_t block_count;
    bool has_blocks;    /* the file lists them, if there are any */
    bool is_since_fork; /* inherited blocks were taken out, now (since_fork.h) or when it was merged: has no peak */
    void *buffers[TM_SNAPSHOT_BUFFERS];
    unsigned buffer_count;
};

/* SNAPSHOT may be NULL. */
void tm_snapshot_free(struct tm_snapshot *snapshot);

/* The value of KEY; FALLBACK when the file does not say or says something of another type. */
uint64_t tm_snapshot_number(const struct tm_snapshot *snapshot, const char *key, uint64_t fallback);

/* The bytes of KEY; a span of length 0 (bytes not NULL) when the file does not say. */
struct tm_span tm_snapshot_bytes(const struct tm_snapshot *snapshot, const char *key);

/* NULL when the file does not say. */
const struct tm_meta_record *tm_snapshot_meta(const struct tm_snapshot *snapshot, const char *key);

/* Is SPAN the zero-terminated TEXT? */
bool tm_span_is(struct tm_span span, const char *text);

#endif
