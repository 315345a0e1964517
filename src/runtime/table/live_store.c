/* SPDX-License-Identifier: MIT */
#include "runtime/table/live_store.h"

#include <errno.h>
#include <string.h>

#include "runtime/os/os_memory.h"

#define FIRST_EXTENT   (64U * 1024U)       /* at least */
#define SMALL_EXTENT   (2U * TM_PAGE_SIZE) /* the same in a store that is to hold little */
#define LARGEST_EXTENT (4U * 1024U * 1024U)
#define FEWEST_AHEAD   (3U * TM_PAGE_SIZE)
#define MOST_AHEAD     (15U * TM_PAGE_SIZE)
#define FILLED_AT_ONCE (64U * TM_PAGE_SIZE)

/* Shares of the address space; the sum is 96. */
static const uint64_t shares[TM_STORE_SECTIONS] = {
    [TM_STORE_STRINGS] = 16, [TM_STORE_FRAMES] = 8, [TM_STORE_TRACEBACKS] = 8,
    [TM_STORE_RECORDS] = 32, [TM_STORE_PEAKS] = 16, [TM_STORE_LOOSE] = 16,
};
#define SHARE_SUM 96U

/* In first extents: what an interpreter that does nothing comes to use is there from the start, without growth. */
static const unsigned first_extents[TM_STORE_SECTIONS] = {
    [TM_STORE_STRINGS] = 1, [TM_STORE_FRAMES] = 1, [TM_STORE_TRACEBACKS] = 1,
    [TM_STORE_RECORDS] = 4, [TM_STORE_PEAKS] = 2,  [TM_STORE_LOOSE] = 2,
};

#define FULL_SPACE (UINT64_C(6) << 30)

#define BEFORE_RECORDS (TM_STORE_ROOM + TM_STORE_HEADER_SIZE)

/* Bytes of a share of 1. */
static uint64_t share_unit(void)
{
    uint64_t space = FULL_SPACE;
    size_t limit = tm_pages_limit();
    if (limit / 32 < space) {
        space = limit / 32 > SHARE_SUM * FIRST_EXTENT ? limit / 32 : SHARE_SUM * FIRST_EXTENT;
    }
    return space / SHARE_SUM / TM_PAGE_SIZE * TM_PAGE_SIZE;
}

static bool reserve(struct tm_live_store *store)
{
    uint64_t unit = share_unit();
    uint8_t *pages = tm_pages_reserve((size_t)(unit * SHARE_SUM + BEFORE_RECORDS));
    if (pages == NULL) {
        return false;
    }
    for (unsigned i = 0; i < TM_STORE_SECTIONS; i++) {
        if (i == TM_STORE_RECORDS) {
            store->room = pages;
            pages += BEFORE_RECORDS;
        }
        store->sections[i] = pages;
        store->reserved[i] = unit * shares[i];
        pages += store->reserved[i];
    }
    return true;
}

void tm_live_store_fit(struct tm_live_store *store)
{
    uint64_t unit = share_unit();
    tm_lock_take(&store->lock);
    for (unsigned i = 0; i < TM_STORE_SECTIONS; i++) {
        uint64_t mapped = atomic_load_explicit(&store->mapped[i], memory_order_relaxed);
        uint64_t kept = unit * shares[i] > mapped ? unit * shares[i] : mapped;
        if (kept < store->reserved[i]) {
            tm_pages_unmap_sparse(store->sections[i] + kept, (size_t)(store->reserved[i] - kept));
            store->reserved[i] = kept;
        }
    }
    tm_lock_release(&store->lock);
}

bool tm_live_store_begin(struct tm_live_store *store)
{
    if (!reserve(store)) {
        return false;
    }
    uint8_t *header = store->room + TM_STORE_ROOM;
    if (!tm_pages_map_at(header, TM_STORE_HEADER_SIZE)) {
        return false;
    }
    store->header = (struct tm_store_header *)(void *)header;
    memcpy(store->header->magic, TM_STORE_MAGIC, sizeof store->header->magic);
    store->header->version = TM_STORE_VERSION;
    store->header->header_size = TM_STORE_HEADER_SIZE;
    return true;
}

int tm_live_store_map_extent(struct tm_live_store *store, unsigned section, uint64_t at, int descriptor,
                             uint64_t file_offset, uint64_t size)
{
    int status = tm_file_map_at(descriptor, file_offset, (size_t)size, store->sections[section] + at);
    if (status == 0 && section == TM_STORE_LOOSE) {
        tm_pages_expect_few(store->sections[section] + at, (size_t)size);
    }
    return status;
}

static int grow_in_file(struct tm_live_store *store, unsigned section, uint64_t at, uint64_t size)
{
    if (atomic_load_explicit(&store->header->extent_count, memory_order_relaxed) == TM_STORE_EXTENT_MAX) {
        return -ENOSPC;
    }
    int descriptor = tm_file_reopen(store->path, &store->identity);
    if (descriptor < 0) {
        return descriptor;
    }
    int status = tm_file_allocate(descriptor, store->file_size, size);
    if (status == 0) {
        status = tm_live_store_map_extent(store, section, at, descriptor, store->file_size, size);
    }
    tm_file_close(descriptor);
    if (status == 0) {
        tm_live_store_publish_extent(store->header, section, at, store->file_size, size);
        store->file_size += size;
    }
    return status;
}

/* Bytes.  An interpreter that does nothing leaves some dozen samples: a tmpfs makes page after page of what is asked
 * for, and room for 256 records is half of what its shares would be. */
static uint64_t first_extent(const struct tm_live_store *store, unsigned section)
{
    const unsigned extents = first_extents[section];
    return store->is_small ? (uint64_t)SMALL_EXTENT * (extents > 1 ? extents / 2 : 1)
                           : (uint64_t)FIRST_EXTENT * extents;
}

static uint64_t extent_size(const struct tm_live_store *store, unsigned section, uint64_t mapped, uint64_t wanted)
{
    uint64_t first = first_extent(store, section);
    uint64_t size = mapped < first ? first : mapped;
    size = size > LARGEST_EXTENT ? LARGEST_EXTENT : size;
    return size > wanted ? size : tm_page_round((size_t)wanted);
}

static bool map_more(struct tm_live_store *store, unsigned section, uint64_t bytes)
{
    uint64_t mapped = atomic_load_explicit(&store->mapped[section], memory_order_relaxed);
    uint64_t size = extent_size(store, section, mapped, bytes - mapped);
    if (mapped + size > store->reserved[section]) {
        size = store->reserved[section] - mapped;
        if (bytes - mapped > size) {
            return false;
        }
    }
    if (!store->in_file || grow_in_file(store, section, mapped, size) != 0) {
        if (!tm_pages_map_at(store->sections[section] + mapped, (size_t)size)) {
            return false;
        }
        if (store->in_file) {
            atomic_fetch_add_explicit(&store->header->anonymous_extents, 1, memory_order_relaxed);
        }
    }
    atomic_store_explicit(&store->mapped[section], mapped + size, memory_order_release);
    return true;
}

/* Bytes asked for beyond those that are needed: a sixteenth, so that little is there in vain.  Of records and peaks an
 * interpreter that does nothing comes to use nearly all that is there from the start: they are asked for in one
 * call. */
static uint64_t ahead_of(const struct tm_live_store *store, unsigned section, uint64_t ready)
{
    uint64_t part = ready / 16;
    if (ready < first_extent(store, section) && first_extents[section] > 1) {
        return first_extent(store, section);
    }
    return part < FEWEST_AHEAD ? FEWEST_AHEAD : part > MOST_AHEAD ? MOST_AHEAD : part;
}

/* Zeros to [from, to) of SECTION, as far as that is in the file. */
static int write_zeros(const struct tm_live_store *store, unsigned section, uint64_t from, uint64_t to, int descriptor)
{
    const struct tm_store_header *header = store->header;
    uint32_t count = atomic_load_explicit(&header->extent_count, memory_order_relaxed);
    int status = 0;
    for (uint32_t i = 0; i < count && status == 0; i++) {
        const struct tm_store_extent *extent = &header->extents[i];
        uint64_t end = extent->section_offset + extent->size;
        uint64_t first = from > extent->section_offset ? from : extent->section_offset;
        end = to < end ? to : end;
        if (extent->section == section && first < end) {
            status =
                tm_file_write_zeros(descriptor, extent->file_offset + (first - extent->section_offset), end - first);
        }
    }
    return status;
}

/* Zeros behind what is filled of SECTION, at least up to READY. */
static bool fill_section(struct tm_live_store *store, unsigned section, uint64_t ready, int descriptor)
{
    uint64_t from = store->filled[section], mapped = atomic_load(&store->mapped[section]);
    uint64_t to = from - from % FILLED_AT_ONCE + FILLED_AT_ONCE;
    to = to < ready ? ready : to;
    to = to < mapped ? to : mapped;
    store->filled[section] = to;
    return write_zeros(store, section, from, to, descriptor) == 0;
}

/* The kernel makes pages of a file for a write of many in less than half the time that it takes for as many faults,
 * each of which looks for what the disk has.  Nothing is in them yet: they are the pages behind those that are ready.
 * The first time it is done of all sections: where one grows the others do. */
static void fill(struct tm_live_store *store, unsigned section, uint64_t ready)
{
    if (!store->fills || ready <= store->filled[section]) {
        return;
    }
    int descriptor = tm_file_reopen(store->path, &store->identity);
    store->fills = descriptor >= 0 && fill_section(store, section, ready, descriptor);
    for (unsigned i = 0; i < TM_STORE_LOOSE && store->fills && !store->has_filled; i++) {
        store->fills = i == section || fill_section(store, i, 0, descriptor);
    }
    store->has_filled = true;
    if (descriptor >= 0) {
        tm_file_close(descriptor);
    }
}

/* Sections are filled from their start: their next pages are asked for at once, instead of by a page fault each.  Not
 * of loose figures, of which most programs have none, nor while the store is still to move into its file. */
static void make_ready(struct tm_live_store *store, unsigned section, uint64_t bytes)
{
    uint64_t ready = atomic_load_explicit(&store->ready[section], memory_order_relaxed);
    uint64_t mapped = atomic_load_explicit(&store->mapped[section], memory_order_relaxed);
    uint64_t wanted = mapped;
    if (store->in_file && section != TM_STORE_LOOSE) {
        wanted = tm_page_round((size_t)(bytes + ahead_of(store, section, ready)));
        wanted = wanted < mapped ? wanted : mapped;
        fill(store, section, wanted);
        /* What was not to be had of the file any more is private memory, where only a write makes a page. */
        bool in_memory = store->in_memory && tm_live_store_is_whole(store);
        (in_memory ? tm_pages_populate_in_memory : tm_pages_populate)(store->sections[section] + ready,
                                                                      (size_t)(wanted - ready));
    }
    atomic_store_explicit(&store->ready[section], wanted, memory_order_release);
}

static bool grow(struct tm_live_store *store, unsigned section, uint64_t bytes)
{
    if (bytes <= atomic_load_explicit(&store->ready[section], memory_order_relaxed)) {
        return true;
    }
    if (bytes > atomic_load_explicit(&store->mapped[section], memory_order_relaxed) &&
        !map_more(store, section, bytes)) {
        return false;
    }
    make_ready(store, section, bytes);
    return true;
}

bool tm_live_store_grow(struct tm_live_store *store, enum tm_section_name section, uint64_t bytes)
{
    tm_lock_take(&store->lock);
    bool done = grow(store, section, bytes);
    tm_lock_release(&store->lock);
    return done;
}

bool tm_live_store_is_whole(const struct tm_live_store *store)
{
    return store->in_file && !store->is_removed &&
           atomic_load_explicit(&store->header->anonymous_extents, memory_order_relaxed) == 0;
}

size_t tm_live_store_bytes(const struct tm_live_store *store)
{
    size_t sum = TM_STORE_HEADER_SIZE;
    for (unsigned i = 0; i < TM_STORE_SECTIONS; i++) {
        sum += (size_t)atomic_load_explicit(&store->mapped[i], memory_order_relaxed);
    }
    return sum;
}

bool tm_live_store_add_meta(struct tm_live_store *store, const char *key, const void *value, size_t length)
{
    struct tm_store_header *header = store->header;
    size_t key_length = strlen(key);
    tm_lock_take(&store->lock);
    uint32_t at = atomic_load_explicit(&header->meta_length, memory_order_relaxed);
    if (key_length > UINT8_MAX || length > UINT16_MAX || at + 3 + key_length + length > TM_STORE_META_CAPACITY) {
        tm_lock_release(&store->lock);
        return false;
    }
    uint8_t *to = (uint8_t *)header->meta + at;
    *to++ = (uint8_t)key_length;
    memcpy(to, key, key_length);
    to += key_length;
    *to++ = (uint8_t)(length & 0xFF);
    *to++ = (uint8_t)(length >> 8);
    memcpy(to, value, length);
    atomic_store_explicit(&header->meta_length, at + (uint32_t)(3 + key_length + length), memory_order_release);
    tm_lock_release(&store->lock);
    return true;
}
