/* SPDX-License-Identifier: MIT */
/* The way of a store from memory into its file and back. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "runtime/os/os_memory.h"
#include "runtime/table/live_store.h"

/* Bytes of a section that may be other than 0.  Peaks and loose figures have no length of their own. */
static uint64_t used_bytes(const struct tm_live_store *store, unsigned section)
{
    uint64_t records = atomic_load(&store->header->lengths[TM_STORE_RECORDS]) / sizeof(struct tm_record);
    uint64_t used = section == TM_STORE_PEAKS   ? records * sizeof(struct tm_record_peak)
                    : section == TM_STORE_LOOSE ? records * sizeof(struct tm_record_loose)
                                                : atomic_load(&store->header->lengths[section]);
    uint64_t mapped = atomic_load(&store->mapped[section]);
    used = tm_page_round((size_t)used);
    return used < mapped ? used : mapped;
}

/* The pages of the header from that of FROM up to that before END.  What lies between the used parts of its arrays
 * reads as zeros anyway, and pages that nobody touched stay so. */
static int write_header_part(const struct tm_live_store *store, int descriptor, size_t from, size_t end)
{
    from &= ~(size_t)(TM_PAGE_SIZE - 1);
    return tm_file_write_at(descriptor, (const uint8_t *)store->header + from, tm_page_round(end) - from, from);
}

static int write_header(const struct tm_live_store *store, int descriptor)
{
    const struct tm_store_header *header = store->header;
    size_t extents = offsetof(struct tm_store_header, extents) + header->extent_count * sizeof header->extents[0];
    size_t meta = offsetof(struct tm_store_header, meta_length);
    size_t after_meta = offsetof(struct tm_store_header, whole_bytes);
    int status = write_header_part(store, descriptor, 0, extents);
    if (status == 0) {
        status =
            write_header_part(store, descriptor, meta, offsetof(struct tm_store_header, meta) + header->meta_length);
    }
    return status == 0 ? write_header_part(store, descriptor, after_meta, sizeof *header) : status;
}

/* Writes header and sections behind each other and lists them as extents of the header's copy in the file. */
static int write_out(struct tm_live_store *store, int descriptor)
{
    uint64_t at = TM_STORE_HEADER_SIZE;
    atomic_store_explicit(&store->header->extent_count, 0, memory_order_relaxed);
    int status = tm_file_allocate(descriptor, 0, tm_live_store_bytes(store));
    for (unsigned i = 0; status == 0 && i < TM_STORE_SECTIONS; i++) {
        uint64_t mapped = atomic_load(&store->mapped[i]);
        if (mapped != 0) {
            tm_live_store_publish_extent(store->header, i, 0, at, mapped);
            status = tm_file_write_at(descriptor, store->sections[i], (size_t)used_bytes(store, i), at);
        }
        at += mapped;
    }
    store->file_size = at;
    return status == 0 ? write_header(store, descriptor) : status;
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
        status =
            tm_live_store_map_extent(store, extents[i].section, 0, descriptor, extents[i].file_offset, extents[i].size);
    }
    return status;
}

/* From here on pages are asked for before they are used. */
static void expect_growth(struct tm_live_store *store)
{
    store->fills = true;
    store->has_filled = false;
    for (unsigned i = 0; i < TM_STORE_SECTIONS; i++) {
        atomic_store(&store->ready[i], used_bytes(store, i));
        store->filled[i] = used_bytes(store, i);
    }
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
        store->is_removed = false;
        store->in_memory = tm_file_is_in_memory(descriptor);
        expect_growth(store);
        atomic_store_explicit(&store->header->anonymous_extents, 0, memory_order_relaxed); /* all is in this file */
    } else {
        atomic_store_explicit(&store->header->extent_count, 0, memory_order_relaxed);
        (void)tm_file_remove(path, &store->identity);
    }
    tm_lock_release(&store->lock);
    tm_file_close(descriptor);
    return status;
}

void tm_live_store_remove_file(struct tm_live_store *store)
{
    if (store->in_file && !store->is_removed) {
        (void)tm_file_remove(store->path, &store->identity);
        store->is_removed = true;
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
