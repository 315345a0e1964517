/* SPDX-License-Identifier: MIT */
#include "runtime/track/map_tracker.h"

#include <sched.h>

#include "runtime/os/os_memory.h"
#include "runtime/track/counting.h"
#include "runtime/track/event_record.h"

/* Pages that a snapshot looks at: more would make the program wait. */
#define RESIDENT_BYTES_MAX ((uint64_t)16 << 30)
#define LOCK_TRIES         200

static struct tm_map_table *maps(void)
{
    return &tm_runtime.maps;
}

bool tm_map_tracker_is_empty(void)
{
    return __atomic_load_n(&maps()->root, __ATOMIC_RELAXED) == 0;
}

void tm_map_tracker_lock(struct tm_thread *thread)
{
    if (tm_life_now() == TM_LIFE_UNKNOWN) {
        (void)tm_life_recover();
    }
    thread->guard++;
    tm_lock_take(&tm_runtime.maps_lock);
}

void tm_map_tracker_unlock(struct tm_thread *thread)
{
    tm_lock_release(&tm_runtime.maps_lock);
    thread->guard--;
}

static void count_dropped(void)
{
    atomic_fetch_add_explicit(&tm_runtime.store.header->dropped_events, 1, memory_order_relaxed);
}

static bool is_counted(uint32_t kind)
{
    return kind == TM_MAP_PRIVATE || kind == TM_MAP_SHARED;
}

/* Mappings are made with and without the GIL, and rarely: they are all counted loosely. */
static void count_new(uint32_t record, uint64_t blocks, uint64_t bytes)
{
    struct tm_runtime *runtime = &tm_runtime;
    tm_record_save_peaks(runtime, record, &runtime->records.records[record]);
    tm_record_add_loose(runtime, record, blocks, bytes, false);
}

static void count_gone(uint32_t record, uint64_t blocks, uint64_t bytes)
{
    struct tm_runtime *runtime = &tm_runtime;
    tm_record_save_peaks(runtime, record, &runtime->records.records[record]);
    tm_record_add_loose(runtime, record, blocks, bytes, true);
}

static void put(uintptr_t start, uintptr_t end, uint32_t record, uint32_t kind)
{
    struct tm_map_extent extent = {start, end, record, kind};
    if (!tm_map_table_put(maps(), &extent)) {
        count_dropped();
    } else if (record != 0) {
        count_new(record, 1, end - start);
    }
}

/* What is left of EXTENT on either side of START to END stays in the table, and in its record. */
static unsigned put_rest(const struct tm_map_extent *extent, uintptr_t start, uintptr_t end)
{
    unsigned rests = 0;
    struct tm_map_extent low = {extent->start, start, extent->record, extent->kind};
    struct tm_map_extent high = {end, extent->end, extent->record, extent->kind};
    if (low.start < low.end) {
        rests += tm_map_table_put(maps(), &low);
    }
    if (high.start < high.end) {
        rests += tm_map_table_put(maps(), &high);
    }
    return rests;
}

static void remove_range(uintptr_t start, uintptr_t end)
{
    struct tm_map_extent extent;
    while (tm_map_table_next(maps(), start, &extent) && extent.start < end) {
        bool may_split = tm_map_table_reserve(maps(), 1);
        uintptr_t from = extent.start > start ? extent.start : start;
        uintptr_t to = extent.end < end || !may_split ? extent.end : end; /* no room: all behind is forgotten too */
        (void)tm_map_table_take(maps(), extent.start, &extent);
        unsigned rests = put_rest(&extent, from, to);
        if (!may_split) {
            count_dropped();
        }
        if (extent.record == 0) {
            continue;
        }
        if (rests == 2) {
            count_new(extent.record, 1, 0);
        }
        count_gone(extent.record, rests == 0, to - from);
    }
}

static bool may_record(void)
{
    return tm_life_now() == TM_LIFE_TRACING || tm_life_may_record(0);
}

static uint32_t record_now(struct tm_thread *thread)
{
    return tm_event_record(thread, tm_event_caller(thread, TM_DOMAIN_MMAP), TM_DOMAIN_MMAP, TM_SIZE_VARIES);
}

void tm_map_tracker_add(struct tm_thread *thread, uintptr_t start, size_t size, enum tm_map_kind kind)
{
    uintptr_t end = start + tm_page_round(size);
    bool is_recorded = may_record();
    if (tm_life_now() == TM_LIFE_OFF || end <= start || (!is_recorded && tm_map_tracker_is_empty())) {
        return;
    }
    uint32_t record = is_recorded && is_counted(kind) ? record_now(thread) : 0;
    is_recorded = is_recorded && (record != 0 || !is_counted(kind));
    tm_map_tracker_lock(thread);
    remove_range(start, end);
    if (is_recorded) {
        put(start, end, record, kind);
    }
    tm_map_tracker_unlock(thread);
}

/* The kind that a range of KIND has from now on. */
static uint32_t kind_with_rights(uint32_t kind, bool reserved)
{
    if (reserved) {
        return is_counted(kind) ? TM_MAP_RESERVED : kind;
    }
    return kind == TM_MAP_RESERVED ? TM_MAP_PRIVATE : kind;
}

void tm_map_tracker_protect(struct tm_thread *thread, uintptr_t start, size_t size, bool reserved)
{
    uintptr_t end = start + tm_page_round(size);
    struct tm_map_extent extent;
    if (tm_map_tracker_is_empty() || end <= start) {
        return;
    }
    bool may_count = !reserved && __atomic_load_n(&maps()->counts[TM_MAP_RESERVED], __ATOMIC_RELAXED) != 0;
    uint32_t record = may_count && may_record() ? record_now(thread) : 0;
    tm_map_tracker_lock(thread);
    for (uintptr_t at = start; tm_map_table_next(maps(), at, &extent) && extent.start < end; at = extent.end) {
        uintptr_t from = extent.start > start ? extent.start : start;
        uintptr_t to = extent.end < end ? extent.end : end;
        uint32_t kind = kind_with_rights(extent.kind, reserved);
        if (kind != extent.kind && (reserved || record != 0)) {
            remove_range(from, to);
            put(from, to, reserved ? 0 : record, kind);
        }
    }
    tm_map_tracker_unlock(thread);
}

void tm_map_tracker_remove(struct tm_thread *thread, uintptr_t start, size_t size)
{
    (void)thread;
    uintptr_t end = start + tm_page_round(size);
    if (end > start) {
        remove_range(start, end);
    }
}

enum tm_map_kind tm_map_tracker_kind(uintptr_t start)
{
    struct tm_map_extent extent;
    bool known = tm_map_table_next(maps(), start, &extent) && extent.start <= start;
    return known ? (enum tm_map_kind)extent.kind : TM_MAP_KINDS;
}

static void add_resident(const struct tm_map_extent *extent, void *context)
{
    struct tm_map_sums *sums = context;
    if (extent->kind == TM_MAP_PRIVATE) {
        sums->resident += tm_pages_resident((const void *)extent->start, extent->end - extent->start);
    }
}

/* Not waited for without end: it may be this very thread's, interrupted by the signal whose handler ends the
 * process. */
static bool try_lock(void)
{
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        if (tm_lock_try(&tm_runtime.maps_lock)) {
            return true;
        }
        (void)sched_yield();
    }
    return false;
}

bool tm_map_tracker_sums(struct tm_map_sums *sums)
{
    *sums = (struct tm_map_sums){.resident = 0};
    if (!try_lock()) {
        return false;
    }
    for (unsigned kind = 0; kind < TM_MAP_KINDS; kind++) {
        sums->bytes[kind] = maps()->bytes[kind];
        sums->counts[kind] = maps()->counts[kind];
    }
    if (sums->bytes[TM_MAP_PRIVATE] <= RESIDENT_BYTES_MAX) {
        tm_map_table_each(maps(), add_resident, sums);
    }
    tm_lock_release(&tm_runtime.maps_lock);
    return true;
}

size_t tm_map_tracker_count(void)
{
    size_t count = 0;
    for (unsigned kind = 0; kind < TM_MAP_KINDS; kind++) {
        count += is_counted(kind) ? __atomic_load_n(&maps()->counts[kind], __ATOMIC_RELAXED) : 0;
    }
    return count;
}

bool tm_map_tracker_each(void (*visit)(const struct tm_map_extent *extent, void *context), void *context)
{
    if (!try_lock()) {
        return false;
    }
    tm_map_table_each(maps(), visit, context);
    tm_lock_release(&tm_runtime.maps_lock);
    return true;
}

void tm_map_tracker_before_fork(void)
{
    tm_runtime.fork_has_maps = try_lock();
}

void tm_map_tracker_after_fork_parent(void)
{
    if (tm_runtime.fork_has_maps) {
        tm_runtime.fork_has_maps = false;
        tm_lock_release(&tm_runtime.maps_lock);
    }
}

void tm_map_tracker_after_fork_child(void)
{
    bool was_held = atomic_load_explicit(&tm_runtime.maps_lock.state, memory_order_relaxed) != 0;
    if (was_held && !tm_runtime.fork_has_maps) {
        tm_map_table_clear(maps());
    }
    tm_runtime.fork_has_maps = false;
    tm_lock_reset(&tm_runtime.maps_lock);
}
