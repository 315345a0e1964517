/* SPDX-License-Identifier: MIT */
#include "runtime/table/live_store.h"

#include <errno.h>
#include <string.h>

#include "runtime/os/os_memory.h"

#define FIRST_EXTENT   (64U * 1024U)
#define LARGEST_EXTENT (4U * 1024U * 1024U)

/* Shares of the address space; the sum is 96. */
static const uint64_t shares[TM_STORE_SECTIONS] = {
    [TM_STORE_STRINGS] = 16, [TM_STORE_FRAMES] = 8, [TM_STORE_TRACEBACKS] = 8,
    [TM_STORE_RECORDS] = 32, [TM_STORE_PEAKS] = 16, [TM_STORE_LOOSE] = 16,
};
#define SHARE_SUM  96U
#define FULL_SPACE (UINT64_C(6) << 30)

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
    uint8_t *pages = tm_pages_reserve((size_t)(unit * SHARE_SUM));
    if (pages == NULL) {
        return false;
    }
    for (unsigned i = 0; i < TM_STORE_SECTIONS; i++) {
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
    store->header = tm_pages_map(TM_STORE_HEADER_SIZE);
    if (store->header == NULL) {
        return false;
    }
    memcpy(store->header->magic, TM_STORE_MAGIC, sizeof store->header->magic);
    store->header->version = TM_STORE_VERSION;
    store->header->header_size = TM_STORE_HEADER_SIZE;
    return true;
}

/* Enters an extent; the count is moved last. */
static void publish_extent(struct tm_store_header *header, unsigned section, uint64_t section_offset,
                           uint64_t file_offset, uint64_t size)
{
    uint32_t count = atomic_load_explicit(&header->extent_count, memory_order_relaxed);
    header->extents[count] = (struct tm_store_extent){
        .section = section, .section_offset = section_offset, .file_offset = file_offset, .size = size};
    atomic_store_explicit(&header->extent_count, count + 1, memory_order_release);
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
        status = tm_file_map_at(descriptor, store->file_size, (size_t)size, store->sections[section] + at);
    }
    tm_file_close(descriptor);
    if (status == 0) {
        publish_extent(store->header, section, at, store->file_size, size);
        store->file_size += size;
    }
    return status;
}

static uint64_t extent_size(uint64_t mapped, uint64_t wanted)
{
    uint64_t size = mapped < FIRST_EXTENT ? FIRST_EXTENT : mapped;
    size = size > LARGEST_EXTENT ? LARGEST_EXTENT : size;
    return size > wanted ? size : tm_page_round((size_t)wanted);
}

static bool grow(struct tm_live_store *store, unsigned section, uint64_t bytes)
{
    uint64_t mapped = atomic_load_explicit(&store->mapped[section], memory_order_relaxed);
    if (bytes <= mapped) {
        return true;
    }
    uint64_t size = extent_size(mapped, bytes - mapped);
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

bool tm_live_store_grow(struct tm_live_store *store, enum tm_section_name section, uint64_t bytes)
{
    tm_lock_take(&store->lock);
    bool done = grow(store, section, bytes);
    tm_lock_release(&store->lock);
    return done;
}

/* Writes header and sections behind each other and lists them as extents of the header's copy in the file. */
static int write_out(struct tm_live_store *store, int descriptor)
{
    uint64_t at = TM_STORE_HEADER_SIZE;
    atomic_store_explicit(&store->header->extent_count, 0, memory_order_relaxed);
    for (unsigned i = 0; i < TM_STORE_SECTIONS; i++) {
        uint64_t mapped = atomic_load(&store->mapped[i]);
        uint64_t used = tm_page_round((size_t)atomic_load(&store->header->lengths[i]));
        int status = mapped == 0 ? 0 : tm_file_allocate(descriptor, at, mapped);
        if (status == 0) {
            /* Peaks and loose figures have no length of their own: all of it. */
            status = tm_file_write_at(descriptor, store->sections[i],
                                      (size_t)(used != 0 && used < mapped ? used : mapped), at);
        }
        if (status != 0) {
            return status;
        }
        if (mapped != 0) {
            publish_extent(store->header, i, 0, at, mapped);
        }
        at += mapped;
    }
    store->file_size = at;
    int status = tm_file_allocate(descriptor, 0, TM_STORE_HEADER_SIZE);
    return status == 0 ? tm_file_write_at(descriptor, store->header, TM_STORE_HEADER_SIZE, 0) : status;
}

/* Private pages at AT with the bytes that are there now, or with FROM's first bytes. */
static bool make_private(uint8_t *at, uint64_t size, const uint8_t *from, uint64_t from_size)
{
    size = tm_page_round((size_t)size);
    uint8_t *copy = tm_pages_map((size_t)size);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, from == NULL ? at : from, (size_t)(from == NULL ? size : from_size));
    if (!tm_pages_move(copy, (size_t)size, at)) {
        tm_pages_unmap(copy, (size_t)size);
        return false;
    }
    return true;
}

/* Takes back what map_over did: nothing may stay shared with a file that goes. */
static void map_back(struct tm_live_store *store)
{
    for (unsigned i = 0; i < TM_STORE_SECTIONS; i++) {
        uint64_t mapped = atomic_load(&store->mapped[i]);
        if (mapped != 0) {
            (void)!make_private(store->sections[i], mapped, NULL, 0);
        }
    }
    (void)!make_private((uint8_t *)store->header, TM_STORE_HEADER_SIZE, NULL, 0);
}

static int map_over(struct tm_live_store *store, int descriptor)
{
    const struct tm_store_header *header = store->header;
    uint32_t count = atomic_load(&header->extent_count);
    struct tm_store_extent extents[TM_STORE_SECTIONS];
    memcpy(extents, header->extents, count * sizeof extents[0]);
    int status = tm_file_map_at(descriptor, 0, TM_STORE_HEADER_SIZE, store->header);
    for (uint32_t i = 0; status == 0 && i < count; i++) {
        status = tm_file_map_at(descriptor, extents[i].file_offset, (size_t)extents[i].size,
                                store->sections[extents[i].section]);
    }
    return status;
}

int tm_live_store_to_file(struct tm_live_store *store, const char *path)
{
    if (strlen(path) >= sizeof store->path) {
        return -ENAMETOOLONG;
    }
    int descriptor = tm_file_create(path, &store->identity);
    if (descriptor < 0) {
        return descriptor;
    }
    tm_lock_take(&store->lock);
    int status = write_out(store, descriptor);
    if (status == 0) {
        status = map_over(store, descriptor);
        if (status != 0) {
            map_back(store);
        }
    }
    if (status == 0) {
        memcpy(store->path, path, strlen(path) + 1);
        store->in_file = true;
        atomic_store_explicit(&store->header->anonymous_extents, 0, memory_order_relaxed); /* all is in this file */
    } else {
        atomic_store_explicit(&store->header->extent_count, 0, memory_order_relaxed);
        (void)tm_file_remove(path, &store->identity);
    }
    tm_lock_release(&store->lock);
    tm_file_close(descriptor);
    return status;
}

bool tm_live_store_is_whole(const struct tm_live_store *store)
{
    return store->in_file && atomic_load_explicit(&store->header->anonymous_extents, memory_order_relaxed) == 0;
}

void tm_live_store_remove_file(struct tm_live_store *store)
{
    if (store->in_file) {
        (void)tm_file_remove(store->path, &store->identity);
    }
}

bool tm_live_store_detach(struct tm_live_store *store, const struct tm_store_image *image)
{
    tm_lock_reset(&store->lock);
    if (!store->in_file) {
        return true;
    }
    bool with_image = image != NULL && image->valid;
    for (unsigned i = 0; i < TM_STORE_SECTIONS; i++) {
        uint64_t mapped = atomic_load(&store->mapped[i]);
        const uint8_t *from = with_image && image->bytes[i] != 0 ? image->sections[i] : NULL;
        if (mapped != 0 && !make_private(store->sections[i], mapped, from, from == NULL ? 0 : image->bytes[i])) {
            return false;
        }
    }
    if (!make_private((uint8_t *)store->header, TM_STORE_HEADER_SIZE, with_image ? image->header : NULL,
                      TM_STORE_HEADER_SIZE)) {
        return false;
    }
    store->in_file = false;
    store->path[0] = '\0';
    atomic_store_explicit(&store->header->extent_count, 0, memory_order_relaxed);
    return true;
}

void tm_live_store_drop(struct tm_live_store *store)
{
    tm_lock_reset(&store->lock);
    for (unsigned i = 0; store->in_file && i < TM_STORE_SECTIONS; i++) {
        size_t mapped = (size_t)atomic_load(&store->mapped[i]);
        if (i == TM_STORE_RECORDS) {
            (void)!make_private(store->sections[i], mapped, NULL, 0);
        } else if (mapped != 0) {
            (void)!tm_pages_map_at(store->sections[i], mapped);
        }
    }
    if (store->in_file) {
        (void)!tm_pages_map_at(store->header, TM_STORE_HEADER_SIZE);
    }
    store->in_file = false;
    store->path[0] = '\0';
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
