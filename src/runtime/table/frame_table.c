/* SPDX-License-Identifier: MIT */
#include "runtime/table/frame_table.h"

#include "base/hash.h"

static _Atomic uint64_t *published(const struct tm_live_store *store)
{
    return &store->header->lengths[TM_STORE_FRAMES];
}

const struct tm_stored_frame *tm_frame_at(const struct tm_live_store *store, uint32_t id)
{
    return (const struct tm_stored_frame *)store->sections[TM_STORE_FRAMES] + id;
}

bool tm_frame_table_init(struct tm_frame_table *table, struct tm_live_store *store)
{
    table->store = store;
    table->map.is_small = store->is_small;
    if (!tm_live_store_need(store, TM_STORE_FRAMES, sizeof(struct tm_stored_frame))) {
        return false;
    }
    atomic_store_explicit(published(store), sizeof(struct tm_stored_frame), memory_order_release);
    return true;
}

static uint32_t hash_of(const struct tm_stored_frame *frame)
{
    return (uint32_t)tm_hash_join(tm_hash_word(((uint64_t)frame->file << 32) | frame->function), frame->line);
}

static uint32_t put(struct tm_frame_table *table, uint32_t id, const struct tm_stored_frame *frame)
{
    ((struct tm_stored_frame *)table->store->sections[TM_STORE_FRAMES])[id] = *frame;
    return id;
}

void tm_frame_release(struct tm_frame_table *table, uint32_t id)
{
    tm_id_map_remove(&table->map, hash_of(tm_frame_at(table->store, id)), id);
    tm_free_ids_put(&table->free, id);
}

uint32_t tm_frame_intern(struct tm_frame_table *table, const struct tm_stored_frame *frame)
{
    uint32_t hash = hash_of(frame);
    size_t cursor = SIZE_MAX;
    uint32_t id;
    while ((id = tm_id_map_next(&table->map, hash, &cursor)) != 0) {
        const struct tm_stored_frame *found = tm_frame_at(table->store, id);
        if (found->file == frame->file && found->function == frame->function && found->line == frame->line) {
            return id;
        }
    }
    id = tm_free_ids_take(&table->free, tm_frame_is_native(frame) ? frame->file : 0); /* objects come before theirs */
    if (id != 0) {
        return tm_id_map_insert_at(&table->map, hash, id, cursor) ? put(table, id, frame) : 0;
    }
    uint64_t at = atomic_load_explicit(published(table->store), memory_order_relaxed);
    if (!tm_live_store_need(table->store, TM_STORE_FRAMES, at + sizeof *frame)) {
        return 0;
    }
    id = (uint32_t)(at / sizeof *frame);
    if (!tm_id_map_insert_at(&table->map, hash, id, cursor)) {
        return 0;
    }
    put(table, id, frame);
    atomic_store_explicit(published(table->store), at + sizeof *frame, memory_order_release);
    return id;
}

bool tm_frame_table_is_valid(const struct tm_frame_table *table)
{
    uint64_t count =
        atomic_load_explicit(published(table->store), memory_order_relaxed) / sizeof(struct tm_stored_frame);
    uint64_t strings = atomic_load_explicit(&table->store->header->lengths[TM_STORE_STRINGS], memory_order_relaxed) / 4;
    for (uint64_t id = 1; id < count; id++) {
        const struct tm_stored_frame *frame = tm_frame_at(table->store, (uint32_t)id);
        bool is_sound = tm_frame_is_native(frame)
                            ? frame->file < id && tm_frame_is_module(tm_frame_at(table->store, frame->file))
                            : frame->file < strings && (frame->function & ~TM_FRAME_MODULE) < strings;
        if (!is_sound) {
            return false;
        }
    }
    return count == table->map.count + tm_free_ids_count(&table->free) + 1 && tm_id_map_is_valid(&table->map);
}
