/* SPDX-License-Identifier: MIT */
/* Byte strings in the store, each once.
 *
 * An id is the string's offset in the section divided by 4; id 0 is the empty string.  Strings end in a zero byte and
 * are never moved; one that was released becomes another one of the same room.
 * Threads  insertion under the intern lock; tm_string_at needs none.   errno  kept. */
#ifndef TM_RUNTIME_TABLE_STRING_TABLE_H
#define TM_RUNTIME_TABLE_STRING_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/table/id_map.h"
#include "runtime/table/id_set.h"
#include "runtime/table/live_store.h"

#define TM_STRING_ROOMS   40U
#define TM_STRING_GUESSES 64U /* a power of two */

struct tm_string_table {
    struct tm_live_store *store;
    struct tm_id_map map;
    struct tm_free_ids free[TM_STRING_ROOMS]; /* by room in units of 4 bytes; longer ones are not given back */
    uint32_t guesses[TM_STRING_GUESSES];      /* 0: none; ids that are in use */
};

TM_CHECKED bool tm_string_table_init(struct tm_string_table *table, struct tm_live_store *store);

/* False when there is no room; *ID is 0 then. */
bool tm_string_intern(struct tm_string_table *table, const void *bytes, size_t length, uint32_t *id);

/* The same for bytes that were read from PLACE, where they were before, mostly: compared with those, not looked up. */
bool tm_string_intern_from(struct tm_string_table *table, uintptr_t place, const void *bytes, size_t length,
                           uint32_t *id);

/* Gives back ID, to which nothing refers any more: it will be another string's. */
void tm_string_release(struct tm_string_table *table, uint32_t id);

/* The bytes of ID, ending in zero; LENGTH may be NULL. */
const char *tm_string_at(const struct tm_live_store *store, uint32_t id, size_t *length);

bool tm_string_table_is_valid(const struct tm_string_table *table);

#endif
