/* SPDX-License-Identifier: MIT */
#include "report/snapshot/snapshot_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "format/encode.h"
#include "store/section_compress.h"

static const uint32_t kinds[] = {TM_SECTION_META,     TM_SECTION_STRINGS,  TM_SECTION_FRAMES,  TM_SECTION_TRACEBACKS,
                                 TM_SECTION_COUNTERS, TM_SECTION_SIZES,    TM_SECTION_MODULES, TM_SECTION_NATIVE_FRAMES,
                                 TM_SECTION_BLOCKS,   TM_SECTION_INHERITED};

#define SECTIONS_MAX TM_COUNT_OF(kinds)

struct writing {
    const struct tm_snapshot *snapshot;
    struct tm_writer raw; /* all sections, one behind the other */
    struct tm_section sections[SECTIONS_MAX];
    unsigned section_count;
    uint8_t *raw_bytes;
    size_t raw_capacity;
};

/* The encoder takes zero-terminated keys. */
static uint64_t encode_meta(struct tm_writer *w, const struct tm_meta_record *meta)
{
    char *key = strndup((const char *)meta->key.bytes, meta->key.length);
    bool writable = key != NULL && strlen(key) == meta->key.length;
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

/* Without the names that the loader made: they say nothing that the file does not. */
static uint32_t string_count(const struct tm_snapshot *s)
{
    return s->made_strings != 0 ? s->made_strings : s->string_count;
}

static void encode_frame(struct tm_writer *w, const struct tm_snapshot *s, struct tm_frame_record *before,
                         const struct tm_frame_record *frame)
{
    struct tm_frame_record next = *frame;
    next.function = next.function < string_count(s) ? next.function : 0;
    tm_encode_frame(w, before, &next);
}

/* Sections that some snapshots have. */
static bool has_section(const struct tm_snapshot *s, uint32_t kind)
{
    switch (kind) {
    case TM_SECTION_MODULES:
    case TM_SECTION_NATIVE_FRAMES:
        return s->native_count > 0;
    case TM_SECTION_BLOCKS:
        return s->has_blocks;
    case TM_SECTION_INHERITED:
        return s->inherited_count > 0;
    default:
        return true;
    }
}

static uint64_t encode_section(struct tm_writer *w, const struct tm_snapshot *s, uint32_t kind)
{
    struct tm_frame_record frame = {.line = 0};
    struct tm_native_frame_record native = {0, 0, 0};
    struct tm_traceback_record traceback = {0, 0};
    struct tm_counter_record counter = {0};
    struct tm_block_record block = {0, 0, 0, 0};
    uint64_t count = 0;
    switch (kind) {
    case TM_SECTION_META:
        for (size_t i = 0; i < s->meta_count; i++) {
            count += encode_meta(w, &s->meta[i]);
        }
        return count;
    case TM_SECTION_STRINGS:
        for (uint32_t i = 0; i < string_count(s); i++) {
            tm_encode_string(w, s->strings[i].bytes, s->strings[i].length);
        }
        return string_count(s);
    case TM_SECTION_FRAMES:
        for (uint32_t i = 1; i < s->frame_count; i++) {
            encode_frame(w, s, &frame, &s->frames[i]);
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
    case TM_SECTION_INHERITED:
        for (size_t i = 0; i < s->inherited_count; i++) {
            tm_encode_counter(w, &counter, &s->inherited[i]);
        }
        return s->inherited_count;
    case TM_SECTION_MODULES:
        for (uint32_t i = 1; i < s->module_count; i++) {
            tm_encode_module(w, &s->modules[i]);
        }
        return s->module_count - 1;
    case TM_SECTION_NATIVE_FRAMES:
        for (uint32_t i = 0; i < s->native_count; i++) {
            tm_encode_native_frame(w, &native, &s->natives[i]);
        }
        return s->native_count;
    case TM_SECTION_BLOCKS:
        for (size_t i = 0; i < s->block_count; i++) {
            tm_encode_block(w, &block, &s->blocks[i]);
        }
        return s->block_count;
    default:
        for (size_t i = 0; i < s->size_count; i++) {
            tm_encode_size_class(w, &s->sizes[i]);
        }
        return s->size_count;
    }
}

static size_t raw_bound(const struct tm_snapshot *s)
{
    size_t size = (size_t)s->frame_count * TM_FRAME_MAX_BYTES + (size_t)s->traceback_count * TM_TRACEBACK_MAX_BYTES +
                  (s->counter_count + s->inherited_count) * TM_COUNTER_MAX_BYTES +
                  s->size_count * TM_SIZE_CLASS_MAX_BYTES + (size_t)s->native_count * TM_NATIVE_MAX_BYTES +
                  s->block_count * TM_BLOCK_MAX_BYTES;
    for (uint32_t i = 1; i < s->module_count; i++) {
        size += TM_MODULE_MAX_BYTES + s->modules[i].build_id.length;
    }
    for (uint32_t i = 0; i < s->string_count; i++) {
        size += TM_STRING_MAX_BYTES + s->strings[i].length;
    }
    for (size_t i = 0; i < s->meta_count; i++) {
        size += TM_META_MAX_BYTES + s->meta[i].key.length + s->meta[i].bytes.length;
    }
    return size + 1;
}

static bool encode(struct writing *writing)
{
    writing->raw_capacity = raw_bound(writing->snapshot);
    writing->raw_bytes = malloc(writing->raw_capacity);
    if (writing->raw_bytes == NULL) {
        return false;
    }
    writing->raw = tm_writer_make(writing->raw_bytes, writing->raw_capacity);
    for (unsigned i = 0; i < SECTIONS_MAX; i++) {
        if (!has_section(writing->snapshot, kinds[i])) {
            continue;
        }
        size_t before = tm_writer_length(&writing->raw);
        uint64_t count = encode_section(&writing->raw, writing->snapshot, kinds[i]);
        writing->sections[writing->section_count++] =
            (struct tm_section){.kind = kinds[i], .raw_size = tm_writer_length(&writing->raw) - before, .count = count};
    }
    return !writing->raw.overflow;
}

static void *get(size_t size)
{
    return malloc(size);
}

static void release(void *memory, size_t size)
{
    (void)size;
    free(memory);
}

/* Where a section does not get smaller it is stored as it is, as the library does. */
static size_t store_section(struct tm_compressor *compressor, struct tm_section *section, uint8_t *to, size_t capacity,
                            const uint8_t *from)
{
    size_t size = (size_t)section->raw_size, stored = 0;
    if (compressor != NULL && size > 0) {
        stored = tm_compress(compressor, to, capacity < size ? capacity : size, from, size);
    }
    section->codec = stored > 0 ? TM_CODEC_ZSTD : TM_CODEC_STORED;
    if (stored == 0) {
        memcpy(to, from, size);
        stored = size;
    }
    section->stored_size = stored;
    section->checksum = tm_crc32c(0, to, stored);
    return stored;
}

static size_t store(struct writing *writing, struct tm_compressor *compressor, uint8_t *file, size_t capacity)
{
    size_t at = tm_format_head_size(writing->section_count), from = 0;
    for (unsigned i = 0; i < writing->section_count; i++) {
        struct tm_section *section = &writing->sections[i];
        section->offset = at;
        at += store_section(compressor, section, file + at, capacity - at, writing->raw_bytes + from);
        from += (size_t)section->raw_size;
    }
    struct tm_writer head = tm_writer_make(file, tm_format_head_size(writing->section_count));
    tm_encode_head(&head, writing->sections, writing->section_count);
    return at;
}

enum tm_status tm_snapshot_write(const struct tm_snapshot *snapshot, uint32_t codec, uint8_t **bytes, size_t *size)
{
    static const struct tm_encode_memory memory = {get, release};
    struct writing writing = {.snapshot = snapshot};
    struct tm_compressor *compressor = codec == TM_CODEC_ZSTD ? tm_compressor_new(&memory, TM_COMPRESS_SMALL) : NULL;
    bool good = encode(&writing) && (codec != TM_CODEC_ZSTD || compressor != NULL);
    size_t capacity = tm_format_head_size(writing.section_count) + tm_writer_length(&writing.raw);
    *bytes = good ? malloc(capacity) : NULL;
    if (*bytes != NULL) {
        *size = store(&writing, compressor, *bytes, capacity);
    }
    if (compressor != NULL) {
        tm_compressor_free(compressor);
    }
    free(writing.raw_bytes);
    return *bytes != NULL ? TM_STATUS_OK : TM_STATUS_NO_MEMORY;
}
