/* SPDX-License-Identifier: MIT */
#include "report/snapshot/store_copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_view.h"

struct tm_store_copy {
    const uint8_t *bytes;
    size_t size;
    struct tm_store_header *header;
    uint8_t *sections[TM_STORE_SECTIONS];
    uint64_t covered[TM_STORE_SECTIONS]; /* bytes from the section's start that the file has */
    struct tm_store_view view;
    struct tm_fault *fault;
};

static enum tm_status fail(struct tm_fault *fault, enum tm_status status, uint64_t offset, const char *what)
{
    fault->offset = offset;
    (void)snprintf(fault->what, sizeof fault->what, "%s", what);
    return status;
}

bool tm_store_copy_is_one(const void *bytes, size_t size)
{
    return size >= sizeof TM_STORE_MAGIC - 1 && memcmp(bytes, TM_STORE_MAGIC, sizeof TM_STORE_MAGIC - 1) == 0;
}

static enum tm_status read_header(struct tm_store_copy *copy)
{
    if (copy->size < TM_STORE_HEADER_SIZE) {
        return fail(copy->fault, TM_STATUS_TRUNCATED, copy->size, "the header of the live store is cut off");
    }
    if (posix_memalign((void **)&copy->header, 64, TM_STORE_HEADER_SIZE) != 0) {
        copy->header = NULL;
        return fail(copy->fault, TM_STATUS_NO_MEMORY, 0, "no memory for the header");
    }
    memcpy(copy->header, copy->bytes, TM_STORE_HEADER_SIZE);
    if (copy->header->version != TM_STORE_VERSION || copy->header->header_size != TM_STORE_HEADER_SIZE) {
        return fail(copy->fault, TM_STATUS_TOO_NEW, offsetof(struct tm_store_header, version),
                    "the live store is of another version");
    }
    if (atomic_load(&copy->header->extent_count) > TM_STORE_EXTENT_MAX) {
        return fail(copy->fault, TM_STATUS_CORRUPT, offsetof(struct tm_store_header, extent_count), "too many extents");
    }
    return TM_STATUS_OK;
}

/* Extents of a section must come in order; one that is missing ends what can be read of the section. */
static enum tm_status check_extents(struct tm_store_copy *copy)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < atomic_load(&copy->header->extent_count); i++) {
        const struct tm_store_extent *extent = &copy->header->extents[i];
        uint64_t at = (uint64_t)((const uint8_t *)extent - (const uint8_t *)copy->header);
        if (extent->section >= TM_STORE_SECTIONS || extent->file_offset > copy->size ||
            extent->size > copy->size - extent->file_offset || extent->file_offset < TM_STORE_HEADER_SIZE ||
            extent->section_offset > (UINT64_C(1) << 48)) {
            return fail(copy->fault, TM_STATUS_CORRUPT, at, "an extent does not lie in the file");
        }
        total += extent->size;
        if (total > copy->size) {
            return fail(copy->fault, TM_STATUS_CORRUPT, at, "the extents overlap");
        }
        if (extent->section_offset == copy->covered[extent->section]) {
            copy->covered[extent->section] += extent->size;
        }
    }
    return TM_STATUS_OK;
}

static enum tm_status join_sections(struct tm_store_copy *copy)
{
    uint64_t filled[TM_STORE_SECTIONS] = {0};
    for (unsigned section = 0; section < TM_STORE_SECTIONS; section++) {
        if (posix_memalign((void **)&copy->sections[section], 64, (size_t)copy->covered[section] + 64) != 0) {
            copy->sections[section] = NULL;
            return fail(copy->fault, TM_STATUS_NO_MEMORY, 0, "no memory for a section");
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

static enum tm_status check_lengths(struct tm_store_copy *copy)
{
    struct tm_store_view *view = &copy->view;
    tm_store_view_init(view, copy->header, copy->sections);
    for (unsigned section = 0; section < TM_STORE_SECTIONS; section++) {
        if (view->lengths[section] > copy->covered[section]) {
            return fail(copy->fault, TM_STATUS_CORRUPT, offsetof(struct tm_store_header, lengths),
                        atomic_load(&copy->header->anonymous_extents) != 0
                            ? "a part of the live store was in memory only and is lost"
                            : "a section is longer than its extents");
        }
    }
    const char *what = tm_store_view_check(view);
    return what == NULL ? TM_STATUS_OK : fail(copy->fault, TM_STATUS_CORRUPT, 0, what);
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

enum tm_status tm_store_copy_snapshot(const struct tm_store_copy *copy, const struct tm_encode_fact *facts,
                                      unsigned fact_count, uint8_t **snapshot, size_t *size, struct tm_fault *fault)
{
    static const struct tm_encode_memory memory = {get_zeroed, release_sized};
    size_t capacity;
    switch (tm_snapshot_encode(&copy->view, facts, fact_count, &memory, snapshot, size, &capacity)) {
    case TM_ENCODE_DONE:
        return TM_STATUS_OK;
    case TM_ENCODE_NO_MEMORY:
        return fail(fault, TM_STATUS_NO_MEMORY, 0, "no memory for the snapshot");
    default:
        return fail(fault, TM_STATUS_CORRUPT, 0, "the live store cannot be written as a snapshot");
    }
}

enum tm_status tm_store_copy_open(const void *bytes, size_t size, struct tm_store_copy **opened, struct tm_fault *fault)
{
    struct tm_store_copy *copy = calloc(1, sizeof *copy);
    *opened = NULL;
    if (copy == NULL) {
        return fail(fault, TM_STATUS_NO_MEMORY, 0, "no memory for the copy");
    }
    copy->bytes = bytes;
    copy->size = size;
    copy->fault = fault;
    enum tm_status (*const steps[])(struct tm_store_copy *) = {read_header, check_extents, join_sections,
                                                               check_lengths};
    enum tm_status status = TM_STATUS_OK;
    for (unsigned i = 0; status == TM_STATUS_OK && i < TM_COUNT_OF(steps); i++) {
        status = steps[i](copy);
    }
    copy->fault = NULL;
    if (status == TM_STATUS_OK) {
        *opened = copy;
    } else {
        tm_store_copy_close(copy);
    }
    return status;
}

void tm_store_copy_close(struct tm_store_copy *copy)
{
    if (copy != NULL) {
        for (unsigned section = 0; section < TM_STORE_SECTIONS; section++) {
            free(copy->sections[section]);
        }
        free(copy->header);
        free(copy);
    }
}

const struct tm_store_header *tm_store_copy_header(const struct tm_store_copy *copy)
{
    return copy->header;
}

uint64_t tm_store_copy_traffic(const struct tm_store_copy *copy)
{
    const struct tm_record *records = (const void *)copy->view.sections[TM_STORE_RECORDS];
    const struct tm_record_loose *loose = (const void *)copy->view.sections[TM_STORE_LOOSE];
    uint64_t sum = 0;
    for (uint32_t id = 1; id < tm_store_view_count(&copy->view, TM_STORE_RECORDS); id++) {
        if (records[id].size == TM_SIZE_VARIES) {
            sum += records[id].ever_bytes + records[id].freed_bytes + loose[id].ever_bytes + loose[id].freed_bytes;
        } else {
            sum += records[id].size * (records[id].ever_blocks + records[id].freed_blocks + loose[id].ever_blocks +
                                       loose[id].freed_blocks);
        }
    }
    return sum;
}

enum tm_status tm_store_copy_encode(const void *bytes, size_t size, uint8_t **snapshot, size_t *snapshot_size,
                                    struct tm_fault *fault)
{
    static const struct tm_encode_fact facts[] = {{.key = "moment", .text = "live store", .length = 10}};
    struct tm_store_copy *copy;
    *snapshot = NULL;
    enum tm_status status = tm_store_copy_open(bytes, size, &copy, fault);
    if (status == TM_STATUS_OK) {
        status = tm_store_copy_snapshot(copy, facts, TM_COUNT_OF(facts), snapshot, snapshot_size, fault);
    }
    tm_store_copy_close(copy);
    return status;
}
