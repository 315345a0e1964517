/* SPDX-License-Identifier: MIT */
#include "runtime/table/traceback_table.h"

#include "base/hash.h"

static _Atomic uint64_t *published(const struct tm_live_store *store)
{
    return &store->header->lengths[TM_STORE_TRACEBACKS];
}

const struct tm_stored_traceback *tm_traceback_at(const struct tm_live_store *store, uint32_t id)
{
    return (const struct tm_stored_traceback *)store->sections[TM_STORE_TRACEBACKS] + id;
}

bool tm_traceback_table_init(struct tm_traceback_table *table, struct tm_live_store *store)
{
    table->store = store;
    if (!tm_live_store_need(store, TM_STORE_TRACEBACKS, sizeof(struct tm_stored_traceback))) {
        return false;
    }
    atomic_store_explicit(published(store), sizeof(struct tm_stored_traceback), memory_order_release);
    return true;
}

static uint32_t hash_of(uint32_t parent, uint32_t frame)
{
    return (uint32_t)tm_hash_word(((uint64_t)parent << 32) | frame);
}

/* *CURSOR is that of tm_id_map_next. */
TM_INLINE uint32_t find(const struct tm_traceback_table *table, uint32_t parent, uint32_t frame, uint32_t hash,
                        size_t *cursor)
{
    uint32_t id;
    *cursor = SIZE_MAX;
    while ((id = tm_id_map_next(&table->map, hash, cursor)) != 0) {
        const struct tm_stored_traceback *found = tm_traceback_at(table->store, id);
        if (found->parent == parent && found->frame == frame) {
            break;
        }
    }
    return id;
}

uint32_t tm_traceback_find(const struct tm_traceback_table *table, uint32_t parent, uint32_t frame)
{
    size_t cursor;
    return find(table, parent, frame, hash_of(parent, frame), &cursor);
}

static void put(struct tm_traceback_table *table, uint32_t id, uint32_t parent, uint32_t frame)
{
    ((struct tm_stored_traceback *)table->store->sections[TM_STORE_TRACEBACKS])[id] =
        (struct tm_stored_traceback){.parent = parent, .frame = frame};
}

/* CURSOR is where the map has left it.  0: there is no room. */
static __attribute__((noinline)) uint32_t make(struct tm_traceback_table *table, uint32_t parent, uint32_t frame,
                                               uint32_t hash, size_t cursor)
{
    uint32_t fresh = tm_free_ids_take(&table->free, parent);
    if (fresh != 0) {
        if (!tm_id_map_insert_at(&table->map, hash, fresh, cursor)) {
            return 0;
        }
        put(table, fresh, parent, frame);
        return fresh;
    }
    uint64_t at = atomic_load_explicit(published(table->store), memory_order_relaxed);
    uint64_t end = at + sizeof(struct tm_stored_traceback);
    fresh = (uint32_t)(at / sizeof(struct tm_stored_traceback));
    if (!tm_live_store_need(table->store, TM_STORE_TRACEBACKS, end) ||
        !tm_id_map_insert_at(&table->map, hash, fresh, cursor)) {
        return 0;
    }
    put(table, fresh, parent, frame);
    atomic_store_explicit(published(table->store), end, memory_order_release);
    return fresh;
}

bool tm_traceback_intern(struct tm_traceback_table *table, uint32_t parent, uint32_t frame, uint32_t *id)
{
    uint32_t hash = hash_of(parent, frame);
    size_t cursor;
    uint32_t known = find(table, parent, frame, hash, &cursor);
    *id = TM_LIKELY(known != 0) ? known : make(table, parent, frame, hash, cursor);
    return *id != 0;
}

void tm_traceback_release(struct tm_traceback_table *table, uint32_t id)
{
    const struct tm_stored_traceback *item = tm_traceback_at(table->store, id);
    tm_id_map_remove(&table->map, hash_of(item->parent, item->frame), id);
    tm_free_ids_put(&table->free, id);
}

bool tm_traceback_table_is_valid(const struct tm_traceback_table *table)
{
    const struct tm_store_header *header = table->store->header;
    uint64_t count = atomic_load(&header->lengths[TM_STORE_TRACEBACKS]) / sizeof(struct tm_stored_traceback);
    uint64_t frames = atomic_load(&header->lengths[TM_STORE_FRAMES]) / sizeof(struct tm_stored_frame);
    for (uint64_t id = 1; id < count; id++) {
        const struct tm_stored_traceback *item = tm_traceback_at(table->store, (uint32_t)id);
        if (item->parent >= id || item->frame == 0 || item->frame >= frames) {
            return false;
        }
    }
    return count == table->map.count + tm_free_ids_count(&table->free) + 1 && tm_id_map_is_valid(&table->map);
}
