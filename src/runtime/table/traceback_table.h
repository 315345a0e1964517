/* SPDX-License-Identifier: MIT */
/* Tracebacks in the store: a tree of (older frames, most recent frame).  Ids from 1; 0 is the empty traceback.
 *
 * A parent is always older than its children and has a smaller id.
 * Threads  insertion under the intern lock; reading needs none.   errno  kept. */
#ifndef TM_RUNTIME_TABLE_TRACEBACK_TABLE_H
#define TM_RUNTIME_TABLE_TRACEBACK_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/table/id_lists.h"
#include "runtime/table/id_set.h"
#include "runtime/table/live_store.h"

struct tm_traceback_table {
    struct tm_live_store *store;
    struct tm_id_lists lists; /* of children, by their parent; the tag is the frame */
    struct tm_free_ids free;
};

TM_CHECKED bool tm_traceback_table_init(struct tm_traceback_table *table, struct tm_live_store *store);

/* The traceback of PARENT's frames with FRAME as the most recent one; 0 when there is no room. */
uint32_t tm_traceback_intern(struct tm_traceback_table *table, uint32_t parent, uint32_t frame);

/* The traceback of FRAME called from PARENT; 0 when there is none. */
uint32_t tm_traceback_find(const struct tm_traceback_table *table, uint32_t parent, uint32_t frame);

/* Gives back ID, which has no children and no records: it will be another traceback's. */
void tm_traceback_release(struct tm_traceback_table *table, uint32_t id);

const struct tm_stored_traceback *tm_traceback_at(const struct tm_live_store *store, uint32_t id);

bool tm_traceback_table_is_valid(const struct tm_traceback_table *table);

#endif
