/* SPDX-License-Identifier: MIT */
/* Byte strings in the store, each once.
 *
 * An id is the string's offset in the section divided by 4; id 0 is the empty string.  Strings end in a zero byte and
 * are never moved or freed, so a pointer to one stays good for the life of the process.
 * Threads  insertion under the intern lock; tm_string_at needs none.   errno  kept. */
#ifndef TM_RUNTIME_TABLE_STRING_TABLE_H
#define TM_RUNTIME_TABLE_STRING_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/table/id_map.h"
#include "runtime/table/live_store.h"

struct tm_string_table {
    struct tm_live_store *store;
    struct tm_id_map map;
};

TM_CHECKED bool tm_string_table_init(struct tm_string_table *table, struct tm_live_store *store);

/* False when there is no room; *ID is 0 then. */
bool tm_string_intern(struct tm_string_table *table, const void *bytes, size_t length, uint32_t *id);

/* The bytes of ID, ending in zero; LENGTH may be NULL. */
const char *tm_string_at(const struct tm_live_store *store, uint32_t id, size_t *length);

bool tm_string_table_is_valid(const struct tm_string_table *table);

#endif
