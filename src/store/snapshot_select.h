/* SPDX-License-Identifier: MIT */
/* What of a store goes into a snapshot: records of the epochs that count, and the tracebacks, frames and strings that
 * these need, numbered anew without gaps and in the same order. */
#ifndef TM_STORE_SNAPSHOT_SELECT_H
#define TM_STORE_SNAPSHOT_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "format/records.h"
#include "store/snapshot_encode.h"
#include "store/store_view.h"

struct tm_selection {
    const struct tm_store_view *view;
    uint32_t *tracebacks; /* new id by old id; 0: not in the snapshot.  The other arrays lie behind it. */
    uint32_t *frames;
    uint32_t *strings;
    uint32_t *first_record; /* by old traceback id: its first record, 0: none */
    uint32_t *next_record;  /* by record id: the next one of the same traceback */
    size_t array_bytes;
    uint32_t traceback_count; /* in the snapshot, the empty one not counted */
    uint32_t frame_count;
    uint32_t module_count; /* their frames have module numbers in `frames` */
    uint32_t native_count; /* of frame_count */
    uint64_t build_id_bytes;
    uint32_t string_count; /* with the empty string */
    uint64_t string_bytes;
    bool python_peaks_now; /* what is live now is the maximum */
    bool heap_peaks_now;
    uint64_t marks;
    unsigned pass; /* under way, and the items it is through with */
    uint32_t done;
};

/* Made in steps, of MOST items each; a step answers false when there was nothing left to do.  VIEW stays the caller's
 * until the selection is freed.  Begin answers false without memory. */
TM_CHECKED bool tm_selection_begin(struct tm_selection *selection, const struct tm_store_view *view,
                                   const struct tm_encode_memory *memory);
bool tm_selection_step(struct tm_selection *selection, uint32_t most);

/* The same at once. */
TM_CHECKED bool tm_selection_make(struct tm_selection *selection, const struct tm_store_view *view,
                                  const struct tm_encode_memory *memory);
/* Also twice. */
void tm_selection_free(struct tm_selection *selection, const struct tm_encode_memory *memory);

/* Blocks by what they are large: one class for each of 0, 16 ... 512 bytes, and the last for what is larger. */
#define TM_SIZE_STEP    16U
#define TM_SIZE_CLASSES (TM_EXACT_SIZE_MAX / TM_SIZE_STEP + 2U)
struct tm_size_sums {
    struct {
        uint64_t live_blocks;
        uint64_t ever_blocks;
    } classes[TM_DOMAIN_COUNT][TM_SIZE_CLASSES];
    uint64_t live_small_bytes; /* of mem and obj, in blocks that CPython's small-block allocator serves */
};

/* Counters of one traceback: a domain's are there where its bit (1 << domain) is set. */
struct tm_counters {
    uint32_t domains;
    struct tm_counter_record of[TM_DOMAIN_COUNT];
};

/* The counters of a traceback (old id), all sizes together, traceback left 0; the part of them that is INHERITED,
 * without peaks.  The same blocks are added to SIZES: each record is looked at once. */
void tm_selection_counters(const struct tm_selection *selection, uint32_t traceback, struct tm_counters *counters,
                           struct tm_counters *inherited, struct tm_size_sums *sizes);

/* Live and ever blocks of a record, both parts together. */
struct tm_record_figures {
    uint64_t live_blocks, live_bytes, ever_blocks, ever_bytes;
};
struct tm_record_figures tm_record_figures_of(const struct tm_store_view *view, uint32_t record);

/* Blocks that were ever handed out and that came back, in all records that the selection saw.  What this moves by is
 * how far figures that were read at two moments may be apart. */
uint64_t tm_selection_traffic(const struct tm_selection *selection);

#endif
