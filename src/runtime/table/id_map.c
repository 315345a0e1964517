/* SPDX-License-Identifier: MIT */
#include "runtime/table/id_map.h"

#include "runtime/os/os_memory.h"

#define FIRST_CAPACITY 2048U /* an interpreter that does nothing comes to some thousand names */
#define SMALL_CAPACITY (TM_PAGE_SIZE / sizeof(struct tm_id_map_entry))

static void place(struct tm_id_map_entry *entries, size_t mask, struct tm_id_map_entry entry)
{
    size_t at = entry.hash & mask;
    while (entries[at].id != 0) {
        at = (at + 1) & mask;
    }
    entries[at] = entry;
}

static bool grow(struct tm_id_map *map)
{
    size_t first = map->is_small ? SMALL_CAPACITY : FIRST_CAPACITY;
    size_t capacity = map->capacity == 0 ? first : map->capacity * 2;
    /* With its pages: the entries that move go everywhere. */
    struct tm_id_map_entry *entries = tm_pages_map_populated(capacity * sizeof *entries);
    if (entries == NULL) {
        return false;
    }
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->entries[i].id != 0) {
            place(entries, capacity - 1, map->entries[i]);
        }
    }
    if (map->entries != NULL) {
        tm_pages_unmap(map->entries, tm_id_map_bytes(map));
    }
    map->entries = entries;
    map->capacity = capacity;
    return true;
}

bool tm_id_map_insert(struct tm_id_map *map, uint32_t hash, uint32_t id)
{
    if (!tm_id_map_has_room(map) && !grow(map)) {
        return false;
    }
    place(map->entries, map->capacity - 1, (struct tm_id_map_entry){hash, id});
    map->count++;
    return true;
}

void tm_id_map_remove(struct tm_id_map *map, uint32_t hash, uint32_t id)
{
    size_t at = SIZE_MAX;
    uint32_t found;
    while ((found = tm_id_map_next(map, hash, &at)) != id) {
        if (found == 0) {
            return;
        }
    }
    size_t mask = map->capacity - 1;
    size_t next = at;
    for (;;) {
        next = (next + 1) & mask;
        if (map->entries[next].id == 0) {
            break;
        }
        if (((next - map->entries[next].hash) & mask) >= ((next - at) & mask)) {
            map->entries[at] = map->entries[next];
            at = next;
        }
    }
    map->entries[at].id = 0;
    map->count--;
}

bool tm_id_map_is_valid(const struct tm_id_map *map)
{
    size_t count = 0;
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->entries[i].id == 0) {
            continue;
        }
        count++;
        for (size_t at = map->entries[i].hash & (map->capacity - 1); at != i; at = (at + 1) & (map->capacity - 1)) {
            if (map->entries[at].id == 0) {
                return false;
            }
        }
    }
    return count == map->count;
}
