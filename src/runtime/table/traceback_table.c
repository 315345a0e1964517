/* SPDX-License-Identifier: MIT */
#include "runtime/table/traceback_table.h"

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
    table->lists.is_small = store->is_small;
    if (!tm_live_store_need(store, TM_STORE_TRACEBACKS, sizeof(struct tm_stored_traceback))) {
        return false;
    }
    atomic_store_explicit(published(store), sizeof(struct tm_stored_traceback), memory_order_release);
    return true;
}

/* In a list the tag says all of the key; in the map others may have its hash. */
TM_INLINE uint32_t find(const struct tm_traceback_table *table, struct tm_list_look *look)
{
    uint32_t id;
    while ((id = tm_id_lists_next(&table->lists, look)) != 0 && TM_UNLIKELY(look->next == TM_LIST_IN_MAP)) {
        const struct tm_stored_traceback *found = tm_traceback_at(table->store, id);
        if (found->parent == look->owner && found->frame == look->tag) {
            break;
        }
    }
    return id;
}

uint32_t tm_traceback_find(const struct tm_traceback_table *table, uint32_t parent, uint32_t frame)
{
    struct tm_list_look look = tm_id_lists_look(&table->lists, parent, frame);
    return find(table, &look);
}

static void put(struct tm_traceback_table *table, uint32_t id, uint32_t parent, uint32_t frame)
{
    ((struct tm_stored_traceback *)table->store->sections[TM_STORE_TRACEBACKS])[id] =
        (struct tm_stored_traceback){.parent = parent, .frame = frame};
}

/* One that was given back, or where something has to grow.  0: there is no room. */
static __attribute__((noinline)) uint32_t make(struct tm_traceback_table *table, const struct tm_list_look *look)
{
    uint32_t recycled = tm_free_ids_take(&table->free, look->owner);
    uint64_t at = atomic_load_explicit(published(table->store), memory_order_relaxed);
    uint64_t end = at + sizeof(struct tm_stored_traceback);
    uint32_t fresh = recycled != 0 ? recycled : (uint32_t)(at / sizeof(struct tm_stored_traceback));
    if (recycled == 0 && !tm_live_store_need(table->store, TM_STORE_TRACEBACKS, end)) {
        return 0;
    }
    if (!tm_id_lists_add(&table->lists, look, fresh)) {
        if (recycled != 0) {
            tm_free_ids_put(&table->free, recycled);
        }
        return 0;
    }
    put(table, fresh, look->owner, look->tag);
    if (recycled == 0) {
        atomic_store_explicit(published(table->store), end, memory_order_release);
    }
    return fresh;
}

uint32_t tm_traceback_intern(struct tm_traceback_table *table, uint32_t parent, uint32_t frame)
{
    struct tm_list_look look = tm_id_lists_look(&table->lists, parent, frame);
    const uint32_t known = find(table, &look);
    if (known != 0) {
        return known;
    }
    const uint64_t at = atomic_load_explicit(published(table->store), memory_order_relaxed);
    const uint64_t end = at + sizeof(struct tm_stored_traceback);
    const uint32_t fresh = (uint32_t)(at / sizeof(struct tm_stored_traceback));
    if (TM_UNLIKELY(table->free.ready.count != 0) ||
        TM_UNLIKELY(!tm_live_store_has(table->store, TM_STORE_TRACEBACKS, end))) {
        const struct tm_list_look copy = look; /* so that LOOK itself needs no memory */
        return make(table, &copy);
    }
    if (TM_UNLIKELY(!tm_id_lists_add(&table->lists, &look, fresh))) {
        return 0;
    }
    put(table, fresh, parent, frame);
    atomic_store_explicit(published(table->store), end, memory_order_release);
    return fresh;
}

void tm_traceback_release(struct tm_traceback_table *table, uint32_t id)
{
    const struct tm_stored_traceback *item = tm_traceback_at(table->store, id);
    tm_id_lists_remove(&table->lists, item->parent, item->frame, id);
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
    return count == tm_id_lists_count(&table->lists) + tm_free_ids_count(&table->free) + 1 &&
           tm_id_lists_are_valid(&table->lists);
}
