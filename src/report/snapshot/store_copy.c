/* SPDX-License-Identifier: MIT */
#include "report/snapshot/store_copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/snapshot_encode.h"
#include "store/store_view.h"

struct copy {
    const uint8_t *bytes;
    size_t size;
    struct tm_store_header *header;
    uint8_t *sections[TM_STORE_SECTIONS];
    uint64_t covered[TM_STORE_SECTIONS]; /* bytes from the section's start that the file has */
    struct tm_fault *fault;
};

static enum tm_status fail(struct copy *copy, enum tm_status status, uint64_t offset, const char *what)
{
    copy->fault->offset = offset;
    (void)snprintf(copy->fault->what, sizeof copy->fault->what, "%s", what);
    return status;
}

bool tm_store_copy_is_one(const void *bytes, size_t size)
{
    return size >= sizeof TM_STORE_MAGIC - 1 && memcmp(bytes, TM_STORE_MAGIC, sizeof TM_STORE_MAGIC - 1) == 0;
}

static enum tm_status read_header(struct copy *copy)
{
    if (copy->size < TM_STORE_HEADER_SIZE) {
        return fail(copy, TM_STATUS_TRUNCATED, copy->size, "the header of the live store is cut off");
    }
    if (posix_memalign((void **)&copy->header, 64, TM_STORE_HEADER_SIZE) != 0) {
        copy->header = NULL;
        return fail(copy, TM_STATUS_NO_MEMORY, 0, "no memory for the header");
    }
    memcpy(copy->header, copy->bytes, TM_STORE_HEADER_SIZE);
    if (copy->header->version != TM_STORE_VERSION || copy->header->header_size != TM_STORE_HEADER_SIZE) {
        return fail(copy, TM_STATUS_TOO_NEW, offsetof(struct tm_store_header, version),
                    "the live store is of another version");
    }
    if (atomic_load(&copy->header->extent_count) > TM_STORE_EXTENT_MAX) {
        return fail(copy, TM_STATUS_CORRUPT, offsetof(struct tm_store_header, extent_count), "too many extents");
    }
    return TM_STATUS_OK;
}

/* Extents of a section must come in order; one that is missing ends what can be read of the section. */
static enum tm_status check_extents(struct copy *copy)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < atomic_load(&copy->header->extent_count); i++) {
        const struct tm_store_extent *extent = &copy->header->extents[i];
        uint64_t at = (uint64_t)((const uint8_t *)extent - (const uint8_t *)copy->header);
        if (extent->section >= TM_STORE_SECTIONS || extent->file_offset > copy->size ||
            extent->size > copy->size - extent->file_offset || extent->file_offset < TM_STORE_HEADER_SIZE ||
            extent->section_offset > (UINT64_C(1) << 48)) {
            return fail(copy, TM_STATUS_CORRUPT, at, "an extent does not lie in the file");
        }
        total += extent->size;
        if (total > copy->size) {
            return fail(copy, TM_STATUS_CORRUPT, at, "the extents overlap");
        }
        if (extent->section_offset == copy->covered[extent->section]) {
            copy->covered[extent->section] += extent->size;
        }
    }
    return TM_STATUS_OK;
}

static enum tm_status join_sections(struct copy *copy)
{
    uint64_t filled[TM_STORE_SECTIONS] = {0};
    for (unsigned section = 0; section < TM_STORE_SECTIONS; section++) {
        if (posix_memalign((void **)&copy->sections[section], 64, (size_t)copy->covered[section] + 64) != 0) {
            copy->sections[section] = NULL;
            return fail(copy, TM_STATUS_NO_MEMORY, 0, "no memory for a section");
        }
    }
    for (uint32_t i = 0; i < atomic_load(&copy->header->extent_count); i++) {
        const struct tm_store_extent *extent = &copy->header->extents[i];
        if (extent->section_offset == filled[extent->section] &&
            filled[extent->section] < copy->covered[extent->section]) {
            memcpy(copy->sections[extent->section] + filled[extent->section], copy->bytes + extent->file_offset,
                   (size_t)extent->size);
            filled[extent->section] += extent->size;
        }
    }
    return TM_STATUS_OK;
}

static enum tm_status check_lengths(struct copy *copy, struct tm_store_view *view)
{
    tm_store_view_init(view, copy->header, copy->sections);
    for (unsigned section = 0; section < TM_STORE_SECTIONS; section++) {
        if (view->lengths[section] > copy->covered[section]) {
            return fail(copy, TM_STATUS_CORRUPT, offsetof(struct tm_store_header, lengths),
                        atomic_load(&copy->header->anonymous_extents) != 0
                            ? "a part of the live store was in memory only and is lost"
                            : "a section is longer than its extents");
        }
    }
    const char *what = tm_store_view_check(view);
    return what == NULL ? TM_STATUS_OK : fail(copy, TM_STATUS_CORRUPT, 0, what);
}

static void *get_zeroed(size_t size)
{
    return calloc(1, size);
}

static void release_sized(void *memory, size_t size)
{
    (void)size;
    free(memory);
}

static enum tm_status encode(struct copy *copy, const struct tm_store_view *view, uint8_t **snapshot, size_t *size)
{
    static const struct tm_encode_memory memory = {get_zeroed, release_sized};
    static const struct tm_encode_fact facts[] = {{.key = "moment", .text = "live store", .length = 10}};
    size_t capacity;
    switch (tm_snapshot_encode(view, facts, TM_COUNT_OF(facts), &memory, snapshot, size, &capacity)) {
    case TM_ENCODE_DONE:
        return TM_STATUS_OK;
    case TM_ENCODE_NO_MEMORY:
        return fail(copy, TM_STATUS_NO_MEMORY, 0, "no memory for the snapshot");
    default:
        return fail(copy, TM_STATUS_CORRUPT, 0, "the live store cannot be written as a snapshot");
    }
}

enum tm_status tm_store_copy_encode(const void *bytes, size_t size, uint8_t **snapshot, size_t *snapshot_size,
                                    struct tm_fault *fault)
{
    struct copy copy = {.bytes = bytes, .size = size, .fault = fault};
    struct tm_store_view view;
    *snapshot = NULL;
    enum tm_status status = read_header(&copy);
    if (status == TM_STATUS_OK) {
        status = check_extents(&copy);
    }
    if (status == TM_STATUS_OK) {
        status = join_sections(&copy);
    }
    if (status == TM_STATUS_OK) {
        status = check_lengths(&copy, &view);
    }
    if (status == TM_STATUS_OK) {
        status = encode(&copy, &view, snapshot, snapshot_size);
    }
    for (unsigned section = 0; section < TM_STORE_SECTIONS; section++) {
        free(copy.sections[section]);
    }
    free(copy.header);
    return status;
}
