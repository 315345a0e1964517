/* SPDX-License-Identifier: MIT */
#include "support/snapshot_copy.h"

#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "format/encode.h"

#define SECTION_COUNT 6U

/* The encoders take zero-terminated keys; a key with a zero byte inside cannot be written again. */
static bool encode_meta(struct tm_writer *w, const struct tm_meta_record *meta)
{
    char *key = calloc(meta->key.length + 1, 1);
    if (key == NULL) {
        abort();
    }
    memcpy(key, meta->key.bytes, meta->key.length);
    bool writable = strlen(key) == meta->key.length;
    if (writable && meta->type == TM_META_BYTES) {
        tm_encode_meta_bytes(w, key, meta->bytes.bytes, meta->bytes.length);
    } else if (writable && meta->type == TM_META_U64) {
        tm_encode_meta_u64(w, key, meta->number);
    } else if (writable) {
        tm_encode_meta_i64(w, key, (int64_t)meta->number);
    }
    free(key);
    return writable;
}

static uint64_t encode_section(struct tm_writer *w, const struct tm_snapshot *s, uint32_t kind)
{
    struct tm_frame_record frame = {0, 0, 0};
    struct tm_traceback_record traceback = {0, 0};
    struct tm_counter_record counter = {0};
    uint64_t count = 0;
    switch (kind) {
    case TM_SECTION_META:
        for (size_t i = 0; i < s->meta_count; i++) {
            count += encode_meta(w, &s->meta[i]);
        }
        return count;
    case TM_SECTION_STRINGS:
        for (uint32_t i = 0; i < s->string_count; i++) {
            tm_encode_string(w, s->strings[i].bytes, s->strings[i].length);
        }
        return s->string_count;
    case TM_SECTION_FRAMES:
        for (uint32_t i = 1; i < s->frame_count; i++) {
            tm_encode_frame(w, &frame, &s->frames[i]);
        }
        return s->frame_count - 1;
    case TM_SECTION_TRACEBACKS:
        for (uint32_t i = 1; i < s->traceback_count; i++) {
            tm_encode_traceback(w, i, &traceback, &s->tracebacks[i]);
        }
        return s->traceback_count - 1;
    case TM_SECTION_COUNTERS:
        for (size_t i = 0; i < s->counter_count; i++) {
            tm_encode_counter(w, &counter, &s->counters[i]);
        }
        return s->counter_count;
    default:
        for (size_t i = 0; i < s->size_count; i++) {
            tm_encode_size_class(w, &s->sizes[i]);
        }
        return s->size_count;
    }
}

static size_t capacity_for(const struct tm_snapshot *s)
{
    size_t size = tm_format_head_size(SECTION_COUNT) + s->frame_count * TM_FRAME_MAX_BYTES +
                  s->traceback_count * TM_TRACEBACK_MAX_BYTES + s->counter_count * TM_COUNTER_MAX_BYTES +
                  s->size_count * TM_SIZE_CLASS_MAX_BYTES;
    for (uint32_t i = 0; i < s->string_count; i++) {
        size += TM_STRING_MAX_BYTES + s->strings[i].length;
    }
    for (size_t i = 0; i < s->meta_count; i++) {
        size += TM_META_MAX_BYTES + s->meta[i].key.length + s->meta[i].bytes.length;
    }
    return size;
}

uint8_t *tm_snapshot_copy(const struct tm_snapshot *snapshot, size_t *size)
{
    size_t capacity = capacity_for(snapshot), head_size = tm_format_head_size(SECTION_COUNT);
    uint8_t *file = malloc(capacity);
    if (file == NULL) {
        abort();
    }
    struct tm_section sections[SECTION_COUNT];
    struct tm_writer w = tm_writer_make(file, capacity);
    (void)tm_write_room(&w, head_size);
    for (uint32_t i = 0; i < SECTION_COUNT; i++) {
        size_t offset = tm_writer_length(&w);
        uint64_t count = encode_section(&w, snapshot, i + 1);
        size_t length = tm_writer_length(&w) - offset;
        sections[i] = (struct tm_section){.kind = i + 1,
                                          .offset = offset,
                                          .stored_size = length,
                                          .raw_size = length,
                                          .count = count,
                                          .checksum = tm_crc32c(0, file + offset, length)};
    }
    struct tm_writer head = tm_writer_make(file, head_size);
    tm_encode_head(&head, sections, SECTION_COUNT);
    if (w.overflow || head.overflow) {
        abort();
    }
    *size = tm_writer_length(&w);
    return file;
}

bool tm_snapshot_is_same(const struct tm_snapshot *a, const struct tm_snapshot *b)
{
    size_t a_size, b_size;
    uint8_t *a_bytes = tm_snapshot_copy(a, &a_size), *b_bytes = tm_snapshot_copy(b, &b_size);
    bool same = a_size == b_size && memcmp(a_bytes, b_bytes, a_size) == 0;
    free(a_bytes);
    free(b_bytes);
    return same;
}
