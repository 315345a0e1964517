/* SPDX-License-Identifier: MIT */
#include "report/snapshot/snapshot_load.h"

#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "format/decode.h"
#include "report/snapshot/load_state.h"

/* Far above what any version will have; keeps the directory's own checks cheap. */
#define SECTION_MAX 4096U

/* Words for what people confuse with snapshots. */
static const char *name_of_foreign(const uint8_t *bytes, size_t size)
{
    static const struct {
        const char *start;
        const char *words;
    } known[] = {
        {"tmLIVE\r\n", "this is the live store of a process, not a snapshot"},
        {"\x89TMS", "the first bytes were changed, as a transfer in text mode does"},
        {"\x80\x03", "this is a Python pickle; snapshots dumped by Python's own tracemalloc cannot be read"},
        {"\x80\x04", "this is a Python pickle; snapshots dumped by Python's own tracemalloc cannot be read"},
        {"\x80\x05", "this is a Python pickle; snapshots dumped by Python's own tracemalloc cannot be read"},
        {"\x28\xB5\x2F\xFD", "this is compressed by zstd; unpack it first"},
        {"\x1F\x8B", "this is compressed by gzip; unpack it first"},
    };
    for (size_t i = 0; i < TM_COUNT_OF(known); i++) {
        size_t length = strlen(known[i].start);
        if (size >= length && memcmp(bytes, known[i].start, length) == 0) {
            return known[i].words;
        }
    }
    return "this is not a snapshot";
}

static enum tm_status check_magic(struct tm_load *load)
{
    if (load->size == 0) {
        return tm_load_fail(load, TM_STATUS_TRUNCATED, 0, "the file is empty");
    }
    size_t length = load->size < TM_SNAPSHOT_MAGIC_SIZE ? load->size : TM_SNAPSHOT_MAGIC_SIZE;
    if (memcmp(load->bytes, TM_SNAPSHOT_MAGIC, length) != 0) {
        return tm_load_fail(load, TM_STATUS_NOT_SNAPSHOT, 0, "%s", name_of_foreign(load->bytes, load->size));
    }
    return TM_STATUS_OK;
}

static enum tm_status check_head(struct tm_load *load, struct tm_reader *reader, struct tm_head_record *head)
{
    if (!tm_decode_head(reader, head)) {
        return tm_load_fail(load, TM_STATUS_TRUNCATED, load->size, "the file ends inside its head");
    }
    if (head->version != TM_SNAPSHOT_VERSION || head->flags != 0) {
        return tm_load_fail(load, head->version == 0 ? TM_STATUS_CORRUPT : TM_STATUS_TOO_NEW, 8,
                            "format version %u (flags %u) is not known; this tm-report reads version %u",
                            (unsigned)head->version, (unsigned)head->flags, TM_SNAPSHOT_VERSION);
    }
    if (head->sections > SECTION_MAX) {
        return tm_load_fail(load, TM_STATUS_CORRUPT, 16, "%u sections cannot be", (unsigned)head->sections);
    }
    size_t directory_size = (size_t)head->sections * TM_SNAPSHOT_SECTION_SIZE;
    if (tm_reader_left(reader) < directory_size) {
        return tm_load_fail(load, TM_STATUS_TRUNCATED, load->size, "the file ends inside its directory");
    }
    uint32_t checksum = tm_crc32c(0, load->bytes, TM_SNAPSHOT_HEAD_SIZE - 4);
    if (tm_crc32c(checksum, reader->at, directory_size) != head->checksum) {
        return tm_load_fail(load, TM_STATUS_CORRUPT, 20, "the checksum of head and directory is wrong");
    }
    return TM_STATUS_OK;
}

/* Sections lie one behind the other, each under its checksum.  *END is where the one before ended. */
static enum tm_status check_place(struct tm_load *load, const struct tm_section *section, uint64_t *end)
{
    if (section->offset != *end) {
        return tm_load_fail(load, TM_STATUS_CORRUPT, *end, "section %s does not follow the one before it",
                            tm_load_section_name(section->kind));
    }
    if (section->stored_size > load->size - *end) {
        return tm_load_fail(
            load, TM_STATUS_TRUNCATED, load->size, "the file ends inside section %s, %llu bytes too early",
            tm_load_section_name(section->kind), (unsigned long long)(section->stored_size - (load->size - *end)));
    }
    *end += section->stored_size;
    if (tm_crc32c(0, load->bytes + section->offset, (size_t)section->stored_size) != section->checksum) {
        return tm_load_fail(load, TM_STATUS_CORRUPT, section->offset, "section %s: its checksum is wrong",
                            tm_load_section_name(section->kind));
    }
    return TM_STATUS_OK;
}

static enum tm_status load_section(struct tm_load *load, const struct tm_section *section)
{
    if (!tm_load_knows_section(section->kind)) {
        return TM_STATUS_OK;
    }
    if (load->offsets[section->kind] != 0) {
        return tm_load_fail(load, TM_STATUS_CORRUPT, section->offset, "section %s is there twice",
                            tm_load_section_name(section->kind));
    }
    load->offsets[section->kind] = section->offset;
    if (section->kind == TM_SECTION_BLOCKS) {
        load->budget += TM_LOAD_BUDGET_PER_BLOCKS_BYTE * section->stored_size;
    }
    const uint8_t *raw;
    enum tm_status status = tm_load_section_bytes(load, section, &raw);
    return status == TM_STATUS_OK ? tm_load_items(load, section, raw) : status;
}

static enum tm_status load_sections(struct tm_load *load)
{
    struct tm_reader reader = tm_reader_make(load->bytes, load->size);
    struct tm_head_record head;
    enum tm_status status = check_magic(load);
    if (status == TM_STATUS_OK) {
        status = check_head(load, &reader, &head);
    }
    if (status != TM_STATUS_OK) {
        return status;
    }
    uint64_t end = TM_SNAPSHOT_HEAD_SIZE + (uint64_t)head.sections * TM_SNAPSHOT_SECTION_SIZE;
    for (uint32_t i = 0; i < head.sections; i++) {
        struct tm_section section;
        if (!tm_decode_section(&reader, &section)) {
            return tm_load_fail(load, TM_STATUS_TRUNCATED, load->size, "the file ends inside its directory");
        }
        status = check_place(load, &section, &end);
        if (status == TM_STATUS_OK) {
            status = load_section(load, &section);
        }
        if (status != TM_STATUS_OK) {
            return status;
        }
    }
    if (end != load->size) {
        return tm_load_fail(load, TM_STATUS_CORRUPT, end,
                            "the last section ends here, but the file has %llu more bytes",
                            (unsigned long long)(load->size - end));
    }
    return TM_STATUS_OK;
}

/* Absent sections become the items that always are. */
static void complete(struct tm_snapshot *snapshot)
{
    static const struct tm_span empty = {(const uint8_t *)"", 0};
    static const struct tm_frame_record no_frame;
    static const struct tm_traceback_record no_traceback;
    if (snapshot->string_count == 0) {
        snapshot->strings = &empty;
        snapshot->string_count = 1;
    }
    if (snapshot->frame_count == 0) {
        snapshot->frames = &no_frame;
        snapshot->frame_count = 1;
    }
    if (snapshot->traceback_count == 0) {
        snapshot->tracebacks = &no_traceback;
        snapshot->traceback_count = 1;
    }
}

static enum tm_status check_references(struct tm_load *load)
{
    const struct tm_snapshot *s = load->snapshot;
    for (uint32_t i = 1; i < s->frame_count; i++) {
        if (s->frames[i].file >= s->string_count || s->frames[i].function >= s->string_count) {
            return tm_load_fail(load, TM_STATUS_CORRUPT, load->offsets[TM_SECTION_FRAMES],
                                "frame %u names a string that is not defined", (unsigned)i);
        }
    }
    for (uint32_t i = 1; i < s->module_count; i++) {
        if (s->modules[i].path >= s->string_count) {
            return tm_load_fail(load, TM_STATUS_CORRUPT, load->offsets[TM_SECTION_MODULES],
                                "module %u names a string that is not defined", (unsigned)i);
        }
    }
    for (uint32_t i = 0; i < s->native_count; i++) {
        if (s->natives[i].frame >= s->frame_count || s->natives[i].module >= s->module_count) {
            return tm_load_fail(load, TM_STATUS_CORRUPT, load->offsets[TM_SECTION_NATIVE_FRAMES],
                                "machine frame %u names a frame or module that is not defined", (unsigned)i);
        }
    }
    for (uint32_t i = 1; i < s->traceback_count; i++) {
        if (s->tracebacks[i].frame == 0 || s->tracebacks[i].frame >= s->frame_count) {
            return tm_load_fail(load, TM_STATUS_CORRUPT, load->offsets[TM_SECTION_TRACEBACKS],
                                "traceback %u names a frame that is not defined", (unsigned)i);
        }
    }
    for (size_t i = 0; i < s->counter_count; i++) {
        if (s->counters[i].traceback >= s->traceback_count) {
            return tm_load_fail(load, TM_STATUS_CORRUPT, load->offsets[TM_SECTION_COUNTERS],
                                "traceback %u of counter %zu is not defined", (unsigned)s->counters[i].traceback, i);
        }
    }
    for (size_t i = 0; i < s->block_count; i++) {
        if (s->blocks[i].traceback >= s->traceback_count) {
            return tm_load_fail(load, TM_STATUS_CORRUPT, load->offsets[TM_SECTION_BLOCKS],
                                "traceback %u of block %zu is not defined", (unsigned)s->blocks[i].traceback, i);
        }
    }
    return TM_STATUS_OK;
}

static bool is_part(const struct tm_counter_record *part, const struct tm_counter_record *whole)
{
    return part->live_bytes <= whole->live_bytes && part->live_blocks <= whole->live_blocks &&
           part->ever_bytes <= whole->ever_bytes && part->ever_blocks <= whole->ever_blocks &&
           part->temporary_blocks <= whole->temporary_blocks;
}

/* Both ascend. */
static enum tm_status check_inherited(struct tm_load *load)
{
    const struct tm_snapshot *s = load->snapshot;
    size_t counter = 0;
    for (size_t i = 0; i < s->inherited_count; i++) {
        const struct tm_counter_record *part = &s->inherited[i];
        while (counter < s->counter_count && tm_counter_compare(&s->counters[counter], part) < 0) {
            counter++;
        }
        if (counter == s->counter_count || tm_counter_compare(&s->counters[counter], part) != 0) {
            return tm_load_fail(load, TM_STATUS_CORRUPT, load->offsets[TM_SECTION_INHERITED],
                                "inherited counter %zu is of a traceback and domain without a counter", i);
        }
        if (!is_part(part, &s->counters[counter])) {
            return tm_load_fail(load, TM_STATUS_CORRUPT, load->offsets[TM_SECTION_INHERITED],
                                "inherited counter %zu is more than all that was counted", i);
        }
    }
    return TM_STATUS_OK;
}

/* False when the sum would leave 62 bits, so that no later sum or difference of two can leave 64. */
static bool sum_up(uint64_t *sum, uint64_t value)
{
    if (value > (UINT64_C(1) << 62) - *sum) {
        return false;
    }
    *sum += value;
    return true;
}

static enum tm_status check_sums(struct tm_load *load)
{
    struct tm_counter_record sum = {0};
    for (size_t i = 0; i < load->snapshot->counter_count; i++) {
        const struct tm_counter_record *c = &load->snapshot->counters[i];
        if (!sum_up(&sum.live_bytes, c->live_bytes) || !sum_up(&sum.live_blocks, c->live_blocks) ||
            !sum_up(&sum.ever_bytes, c->ever_bytes) || !sum_up(&sum.ever_blocks, c->ever_blocks) ||
            !sum_up(&sum.temporary_blocks, c->temporary_blocks) ||
            !sum_up(&sum.peak_python_bytes, c->peak_python_bytes) ||
            !sum_up(&sum.peak_python_blocks, c->peak_python_blocks) ||
            !sum_up(&sum.peak_heap_bytes, c->peak_heap_bytes) || !sum_up(&sum.peak_heap_blocks, c->peak_heap_blocks)) {
            return tm_load_fail(load, TM_STATUS_CORRUPT, load->offsets[TM_SECTION_COUNTERS],
                                "counter %zu: more memory than there can be", i);
        }
    }
    uint64_t in_blocks = 0;
    for (size_t i = 0; i < load->snapshot->block_count; i++) {
        if (!sum_up(&in_blocks, load->snapshot->blocks[i].size)) {
            return tm_load_fail(load, TM_STATUS_CORRUPT, load->offsets[TM_SECTION_BLOCKS],
                                "block %zu: more memory than there can be", i);
        }
    }
    return TM_STATUS_OK;
}

enum tm_status tm_snapshot_load(const void *bytes, size_t size, struct tm_snapshot **snapshot, struct tm_fault *fault)
{
    struct tm_load load = {.bytes = (const uint8_t *)bytes, .size = size, .fault = fault};
    load.budget = TM_LOAD_BUDGET_BASE + TM_LOAD_BUDGET_PER_BYTE * (uint64_t)size;
    *snapshot = NULL;
    load.snapshot = calloc(1, sizeof *load.snapshot);
    if (load.snapshot == NULL) {
        return tm_load_fail(&load, TM_STATUS_NO_MEMORY, 0, "no memory");
    }
    enum tm_status status = load_sections(&load);
    if (status == TM_STATUS_OK) {
        complete(load.snapshot);
        load.snapshot->is_since_fork = tm_snapshot_number(load.snapshot, "since_fork", 0) != 0;
        status = check_references(&load);
    }
    if (status == TM_STATUS_OK) {
        status = check_sums(&load);
    }
    if (status == TM_STATUS_OK) {
        status = check_inherited(&load);
    }
    if (status == TM_STATUS_OK && load.snapshot->native_count > 0) {
        status = tm_load_native_frames(&load);
    }
    if (status != TM_STATUS_OK) {
        tm_snapshot_free(load.snapshot);
        return status;
    }
    *snapshot = load.snapshot;
    return TM_STATUS_OK;
}
