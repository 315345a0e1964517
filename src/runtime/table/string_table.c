/* SPDX-License-Identifier: MIT */
#include "runtime/table/string_table.h"

#include <string.h>

#include "base/hash.h"

#define UNIT 4U /* bytes per id */

static _Atomic uint64_t *published(const struct tm_live_store *store)
{
    return &store->header->lengths[TM_STORE_STRINGS];
}

bool tm_string_table_init(struct tm_string_table *table, struct tm_live_store *store)
{
    uint32_t id;
    table->store = store;
    table->map.is_small = store->is_small;
    memset(table->guesses, 0, sizeof table->guesses);
    return tm_string_intern(table, "", 0, &id);
}

const char *tm_string_at(const struct tm_live_store *store, uint32_t id, size_t *length)
{
    const uint8_t *at = store->sections[TM_STORE_STRINGS] + (uint64_t)id * UNIT;
    uint32_t stored;
    memcpy(&stored, at, sizeof stored);
    if (length != NULL) {
        *length = stored;
    }
    return (const char *)at + sizeof stored;
}

/* Units that a string of LENGTH bytes takes. */
static uint64_t room_of(size_t length)
{
    return (sizeof(uint32_t) + length + 1 + UNIT - 1) / UNIT;
}

static void put(struct tm_live_store *store, uint64_t at, const void *bytes, size_t length)
{
    uint8_t *to = store->sections[TM_STORE_STRINGS] + at;
    uint32_t stored = (uint32_t)length;
    memcpy(to, &stored, sizeof stored);
    memcpy(to + sizeof stored, bytes, length);
    to[sizeof stored + length] = 0;
}

/* Into the room of a string that was given back; 0: there is none. */
static uint32_t put_again(struct tm_string_table *table, uint32_t hash, const void *bytes, size_t length)
{
    uint64_t room = room_of(length);
    uint32_t id = room < TM_STRING_ROOMS ? tm_free_ids_take(&table->free[room], 0) : 0;
    if (id == 0 || !tm_id_map_insert(&table->map, hash, id)) {
        return 0;
    }
    put(table->store, (uint64_t)id * UNIT, bytes, length);
    return id;
}

void tm_string_release(struct tm_string_table *table, uint32_t id)
{
    size_t length;
    const char *text = tm_string_at(table->store, id, &length);
    if (id != 0 && room_of(length) < TM_STRING_ROOMS) {
        memset(table->guesses, 0, sizeof table->guesses); /* its bytes stay, but it is not to be found */
        tm_id_map_remove(&table->map, (uint32_t)tm_hash_bytes(text, length), id);
        tm_free_ids_put(&table->free[room_of(length)], id);
    }
}

/* Published only when it can be found again: else a lack of memory would fill the section with copies. */
static bool append(struct tm_string_table *table, uint32_t hash, const void *bytes, size_t length, uint32_t *id)
{
    struct tm_live_store *store = table->store;
    uint64_t at = atomic_load_explicit(published(store), memory_order_relaxed);
    uint64_t end = at + room_of(length) * UNIT;
    if (end / UNIT > UINT32_MAX || !tm_live_store_need(store, TM_STORE_STRINGS, end) ||
        (at != 0 && !tm_id_map_insert(&table->map, hash, (uint32_t)(at / UNIT)))) {
        return false;
    }
    put(store, at, bytes, length);
    atomic_store_explicit(published(store), end, memory_order_release);
    *id = (uint32_t)(at / UNIT);
    return true;
}

static bool is_string(const struct tm_string_table *table, uint32_t id, const void *bytes, size_t length)
{
    size_t found;
    const char *text = tm_string_at(table->store, id, &found);
    return found == length && memcmp(text, bytes, length) == 0;
}

bool tm_string_intern(struct tm_string_table *table, const void *bytes, size_t length, uint32_t *id)
{
    size_t cursor = SIZE_MAX;
    bool any = atomic_load_explicit(published(table->store), memory_order_relaxed) != 0;
    *id = 0;
    if (length == 0 && any) {
        return true; /* the map cannot hold id 0 */
    }
    if (length > UINT32_MAX / 2) {
        return false;
    }
    uint32_t hash = (uint32_t)tm_hash_bytes(bytes, length);
    while ((*id = tm_id_map_next(&table->map, hash, &cursor)) != 0) {
        if (is_string(table, *id, bytes, length)) {
            return true;
        }
    }
    *id = put_again(table, hash, bytes, length);
    return *id != 0 || append(table, hash, bytes, length, id);
}

bool tm_string_intern_from(struct tm_string_table *table, uintptr_t place, const void *bytes, size_t length,
                           uint32_t *id)
{
    uint32_t *guess = &table->guesses[(place >> 4) * TM_HASH_MULTIPLIER >> 58];
    _Static_assert(TM_STRING_GUESSES == 1U << (64 - 58), "the hash has as many bits");
    if (*guess != 0 && is_string(table, *guess, bytes, length)) {
        *id = *guess;
        return true;
    }
    bool has_room = tm_string_intern(table, bytes, length, id);
    *guess = *id;
    return has_room;
}

bool tm_string_table_is_valid(const struct tm_string_table *table)
{
    uint64_t end = atomic_load_explicit(published(table->store), memory_order_relaxed);
    uint64_t at = 0;
    while (at < end) {
        size_t length;
        const char *text = tm_string_at(table->store, (uint32_t)(at / UNIT), &length);
        if (text[length] != '\0') {
            return false;
        }
        at = (at + sizeof(uint32_t) + length + 1 + UNIT - 1) / UNIT * UNIT;
    }
    return at == end && tm_id_map_is_valid(&table->map);
}
