/* SPDX-License-Identifier: MIT */
/* Frames in the store: Python's, and machine frames with the objects they are of (see store_layout.h), each once.  Ids
 * from 1.
 *
 * Threads  insertion under the intern lock; tm_frame_at needs none.   errno  kept. */
#ifndef TM_RUNTIME_TABLE_FRAME_TABLE_H
#define TM_RUNTIME_TABLE_FRAME_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/table/id_map.h"
#include "runtime/table/id_set.h"
#include "runtime/table/live_store.h"

struct tm_frame_table {
    struct tm_live_store *store;
    struct tm_id_map map;
    struct tm_free_ids free;
};

TM_CHECKED bool tm_frame_table_init(struct tm_frame_table *table, struct tm_live_store *store);

/* 0 when there is no room. */
uint32_t tm_frame_intern(struct tm_frame_table *table, const struct tm_stored_frame *frame);

/* Gives back ID, to which nothing refers any more: it will be another frame's. */
void tm_frame_release(struct tm_frame_table *table, uint32_t id);

const struct tm_stored_frame *tm_frame_at(const struct tm_live_store *store, uint32_t id);

bool tm_frame_table_is_valid(const struct tm_frame_table *table);

#endif
