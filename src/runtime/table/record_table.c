/* SPDX-License-Identifier: MIT */
#include "runtime/table/record_table.h"

#include "base/hash.h"
#include "runtime/os/os_memory.h"
#include "runtime/table/block_table.h"
#include "tracemalloc/snapshot_format.h"

static _Atomic uint64_t *published(const struct tm_record_table *table)
{
    return &table->header->lengths[TM_STORE_RECORDS];
}

/* So many items of SIZE bytes each are ready in SECTION. */
static uint64_t ready_in(const struct tm_live_store *store, enum tm_section_name section, size_t size)
{
    return atomic_load_explicit(&store->ready[section], memory_order_acquire) / size;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* For COUNT records at least. */
static bool make_room(struct tm_record_table *table, uint64_t count)
{
    struct tm_live_store *store = table->store;
    if (!tm_live_store_need(store, TM_STORE_RECORDS, count * sizeof(struct tm_record)) ||
        !tm_live_store_need(store, TM_STORE_PEAKS, count * sizeof(struct tm_record_peak)) ||
        !tm_live_store_need(store, TM_STORE_LOOSE, count * sizeof(struct tm_record_loose))) {
        return false;
    }
    const uint64_t peaks = ready_in(store, TM_STORE_PEAKS, sizeof(struct tm_record_peak));
    const uint64_t loose = ready_in(store, TM_STORE_LOOSE, sizeof(struct tm_record_loose));
    const uint64_t records = ready_in(store, TM_STORE_RECORDS, sizeof(struct tm_record));
    table->room = smaller(smaller(records, smaller(peaks, loose)), (uint64_t)TM_RECORD_MAX + 1);
    return true;
}

bool tm_record_table_init(struct tm_record_table *table, struct tm_live_store *store)
{
    table->store = store;
    table->lists.is_small = store->is_small;
    table->header = store->header;
    table->records = (struct tm_record *)(void *)store->sections[TM_STORE_RECORDS];
    table->peaks = (struct tm_record_peak *)(void *)store->sections[TM_STORE_PEAKS];
    table->loose = (struct tm_record_loose *)(void *)store->sections[TM_STORE_LOOSE];
    if (!make_room(table, 1)) {
        return false;
    }
    table->stamp = 1;
    table->records[0].stamp = UINT32_MAX;
    atomic_store_explicit(published(table), sizeof(struct tm_record), memory_order_release);
    return true;
}

/* The size tells most records of a traceback apart. */
TM_INLINE uint32_t tag_of(const struct tm_record_key *key)
{
    return (key->size | (uint32_t)key->domain << 16) ^
           ((uint32_t)key->owner + key->epoch) * (uint32_t)TM_HASH_MULTIPLIER;
}

static bool is_of(const struct tm_record *record, const struct tm_record_key *key)
{
    return record->traceback == key->traceback && record->epoch == key->epoch && record->size == key->size &&
           record->domain == key->domain && TM_STAMP_OWNER(record->stamp) == key->owner;
}

static bool may_be_quick(const struct tm_record_key *key)
{
    bool is_python = key->domain == TM_DOMAIN_MEM || key->domain == TM_DOMAIN_OBJ;
    return key->size != TM_SIZE_VARIES && (key->owner == TM_OWNER_HELD ? is_python : key->domain == TM_DOMAIN_NATIVE);
}

TM_INLINE uint32_t find(const struct tm_record_table *table, const struct tm_record_key *key, struct tm_list_look *look)
{
    uint32_t id;
    *look = tm_id_lists_look(&table->lists, key->traceback, tag_of(key));
    while ((id = tm_id_lists_next(&table->lists, look)) != 0) {
        if (is_of(&table->records[id], key)) {
            break;
        }
    }
    return id;
}

uint32_t tm_record_find(const struct tm_record_table *table, const struct tm_record_key *key)
{
    struct tm_list_look look;
    return find(table, key, &look);
}

static bool is_untouched(const struct tm_record_table *table, uint32_t id)
{
    const struct tm_record *record = &table->records[id];
    return atomic_load_explicit(&record->ever_blocks, memory_order_relaxed) == 0 &&
           atomic_load_explicit(&record->freed_blocks, memory_order_relaxed) == 0 &&
           atomic_load_explicit(&record->has_loose, memory_order_relaxed) == 0;
}

/* One that was given back.  Where a thread that slept through two rounds has counted in it since, it stays what it
 * is. */
static uint32_t take_free(struct tm_record_table *table)
{
    uint32_t id;
    while ((id = tm_free_ids_take(&table->free, 0)) != 0 && !is_untouched(table, id)) {
    }
    if (id != 0) {
        atomic_store_explicit(&table->records[id].temporary_blocks, 0, memory_order_relaxed);
    }
    return id;
}

static void clear(_Atomic uint64_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        atomic_store_explicit(&words[i], 0, memory_order_relaxed);
    }
}

void tm_record_release(struct tm_record_table *table, uint32_t id)
{
    struct tm_record *record = &table->records[id];
    const struct tm_record_key key = {record->traceback, record->epoch, record->size, record->domain,
                                      TM_STAMP_OWNER(record->stamp)};
    tm_id_lists_remove(&table->lists, key.traceback, tag_of(&key), id);
    clear(&record->ever_blocks, 1);
    clear(&record->freed_blocks, 1);
    clear(&record->ever_bytes, 1);
    clear(&record->freed_bytes, 1);
    clear(&record->temporary_blocks, 1);
    clear((_Atomic uint64_t *)&table->peaks[id], sizeof table->peaks[id] / sizeof(uint64_t));
    if (atomic_load_explicit(&record->has_loose, memory_order_relaxed) != 0) { /* else its page may be a hole still */
        clear((_Atomic uint64_t *)&table->loose[id], sizeof table->loose[id] / sizeof(uint64_t));
        atomic_store_explicit(&record->has_loose, 0, memory_order_relaxed);
    }
    record->traceback = 0;
    record->stamp = UINT32_MAX; /* no quick way */
    tm_free_ids_put(&table->free, id);
}

/* ID is KEY's from now on. */
TM_INLINE void describe(struct tm_record_table *table, uint32_t id, const struct tm_record_key *key)
{
    struct tm_record *record = &table->records[id];
    record->traceback = key->traceback;
    record->epoch = key->epoch;
    record->size = key->size;
    record->domain = key->domain;
    record->stamp = ((uint32_t)(may_be_quick(key) ? table->stamp : TM_STAMP_NEVER) << 16) | key->owner;
    /* Nothing was live here at any maximum so far. */
    atomic_store_explicit(&record->marks, atomic_load_explicit(&table->header->totals.marks, memory_order_relaxed),
                          memory_order_relaxed);
}

/* One that was given back, or where something has to grow. */
static __attribute__((noinline)) uint32_t make(struct tm_record_table *table, const struct tm_record_key *key,
                                               const struct tm_list_look *look)
{
    uint32_t recycled = take_free(table);
    uint64_t at = atomic_load_explicit(published(table), memory_order_relaxed);
    uint64_t fresh = recycled != 0 ? recycled : at / sizeof(struct tm_record);
    if (fresh > TM_RECORD_MAX || (recycled == 0 && !make_room(table, fresh + 1))) {
        return 0;
    }
    if (!tm_id_lists_add(&table->lists, look, (uint32_t)fresh)) {
        if (recycled != 0) {
            tm_free_ids_put(&table->free, recycled);
        }
        return 0;
    }
    describe(table, (uint32_t)fresh, key);
    if (recycled == 0) {
        atomic_store_explicit(published(table), at + sizeof(struct tm_record), memory_order_release);
    }
    return (uint32_t)fresh;
}

uint32_t tm_record_intern(struct tm_record_table *table, const struct tm_record_key *key)
{
    struct tm_list_look look;
    uint32_t known = find(table, key, &look);
    if (known != 0) {
        return known;
    }
    uint64_t at = atomic_load_explicit(published(table), memory_order_relaxed);
    uint64_t fresh = at / sizeof(struct tm_record);
    if (TM_UNLIKELY(table->free.ready.count != 0) || TM_UNLIKELY(fresh >= table->room)) {
        const struct tm_list_look copy = look; /* so that LOOK itself needs no memory */
        return make(table, key, &copy);
    }
    if (TM_UNLIKELY(!tm_id_lists_add(&table->lists, &look, (uint32_t)fresh))) {
        return 0;
    }
    describe(table, (uint32_t)fresh, key);
    atomic_store_explicit(published(table), at + sizeof(struct tm_record), memory_order_release);
    return (uint32_t)fresh;
}

void tm_record_table_new_epoch(struct tm_record_table *table)
{
    tm_id_lists_clear(&table->lists);
}

void tm_record_table_new_base(struct tm_record_table *table)
{
    if (++table->stamp < TM_STAMP_NEVER) {
        return;
    }
    uint32_t count = tm_record_count(table);
    for (uint32_t id = 0; id < count; id++) {
        uint32_t *stamp = &table->records[id].stamp; /* a free may be looking */
        __atomic_store_n(stamp, *stamp | ((uint32_t)TM_STAMP_NEVER << 16), __ATOMIC_RELAXED);
    }
    table->stamp = 1;
}

uint32_t tm_record_count(const struct tm_record_table *table)
{
    return (uint32_t)(atomic_load_explicit(published(table), memory_order_acquire) / sizeof(struct tm_record));
}

bool tm_record_table_is_valid(const struct tm_record_table *table)
{
    const struct tm_store_header *header = table->header;
    uint64_t tracebacks = atomic_load(&header->lengths[TM_STORE_TRACEBACKS]) / sizeof(struct tm_stored_traceback);
    for (uint32_t id = 1; id < tm_record_count(table); id++) {
        const struct tm_record *record = &table->records[id];
        bool sized = record->size == TM_SIZE_VARIES ||
                     (atomic_load(&record->ever_bytes) == 0 && atomic_load(&record->freed_bytes) == 0);
        if (record->traceback >= tracebacks || !sized) {
            return false;
        }
    }
    return tm_id_lists_are_valid(&table->lists);
}
