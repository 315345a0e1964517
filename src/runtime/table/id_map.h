/* SPDX-License-Identifier: MIT */
/* From a hash to the ids that have it: the index beside an array that holds the keys themselves.
 *
 * Open addressing over {hash, id}; the caller compares keys.  Private memory, doubled when three quarters full.
 * Threads  the caller's lock.   errno  kept.   Errors  insert: false without memory, the map unchanged. */
#ifndef TM_RUNTIME_TABLE_ID_MAP_H
#define TM_RUNTIME_TABLE_ID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct tm_id_map_entry {
    uint32_t hash;
    uint32_t id; /* 0: free */
};

struct tm_id_map {
    struct tm_id_map_entry *entries;
    size_t capacity; /* power of two, or 0 */
    size_t count;
    bool is_small; /* set while it is empty: few ids are to be expected */
};

/* Goes through the ids entered with HASH: *CURSOR is SIZE_MAX at first; 0 means there are no more, and *CURSOR is then
 * where one more would be entered. */
TM_INLINE uint32_t tm_id_map_next(const struct tm_id_map *map, uint32_t hash, size_t *cursor)
{
    if (TM_UNLIKELY(map->capacity == 0)) {
        return 0;
    }
    const struct tm_id_map_entry *entries = map->entries;
    size_t mask = map->capacity - 1;
    size_t at = *cursor == SIZE_MAX ? hash & mask : (*cursor + 1) & mask;
    while (entries[at].id != 0) {
        if (entries[at].hash == hash) {
            *cursor = at;
            return entries[at].id;
        }
        at = (at + 1) & mask;
    }
    *cursor = at;
    return 0;
}

/* ID is not 0 and not in the map with this hash. */
TM_CHECKED bool tm_id_map_insert(struct tm_id_map *map, uint32_t hash, uint32_t id);

/* True when one more is entered without growth. */
TM_INLINE bool tm_id_map_has_room(const struct tm_id_map *map)
{
    return map->count * 4 < map->capacity * 3;
}

/* The same where tm_id_map_next has left CURSOR behind all others of HASH, and the map has not changed since. */
TM_CHECKED TM_INLINE bool tm_id_map_insert_at(struct tm_id_map *map, uint32_t hash, uint32_t id, size_t cursor)
{
    if (TM_UNLIKELY(!tm_id_map_has_room(map))) {
        return tm_id_map_insert(map, hash, id);
    }
    map->entries[cursor] = (struct tm_id_map_entry){hash, id};
    map->count++;
    return true;
}

/* Takes ID, entered with HASH, out; nothing happens when it is not there. */
void tm_id_map_remove(struct tm_id_map *map, uint32_t hash, uint32_t id);

TM_INLINE size_t tm_id_map_bytes(const struct tm_id_map *map)
{
    return map->capacity * sizeof *map->entries;
}

/* Every entry stands where a look from its home finds it, and the count is right. */
bool tm_id_map_is_valid(const struct tm_id_map *map);

#endif
