/* SPDX-License-Identifier: MIT */
#include "format/encode.h"

#include "base/compiler.h"
#include "base/crc32c.h"

static void write_text(struct tm_writer *w, const void *bytes, size_t length)
{
    tm_write_varint(w, length);
    tm_write_bytes(w, bytes, length);
}

/* Of the records that there are many of the room is looked at once: they are put where they surely fit, or BESIDE. */
static inline uint8_t *place_for(struct tm_writer *w, uint8_t *beside, size_t most)
{
    return TM_LIKELY(!w->overflow && tm_writer_room(w) >= most) ? w->at : beside;
}

/* The record from its place START to its END. */
static inline void put_record(struct tm_writer *w, uint8_t *start, uint8_t *end)
{
    if (TM_LIKELY(start == w->at)) {
        w->at = end;
    } else {
        tm_write_bytes(w, start, (size_t)(end - start));
    }
}

static inline uint8_t *put_delta(uint8_t *at, uint32_t previous, uint32_t next)
{
    return tm_put_varint(at, tm_zigzag((int64_t)next - (int64_t)previous));
}

static void write_key(struct tm_writer *w, const char *key, enum tm_meta_type type)
{
    write_text(w, key, strlen(key));
    tm_write_u8(w, (uint8_t)type);
}

void tm_encode_meta_u64(struct tm_writer *w, const char *key, uint64_t value)
{
    write_key(w, key, TM_META_U64);
    tm_write_varint(w, value);
}

void tm_encode_meta_i64(struct tm_writer *w, const char *key, int64_t value)
{
    write_key(w, key, TM_META_I64);
    tm_write_zigzag(w, value);
}

void tm_encode_meta_bytes(struct tm_writer *w, const char *key, const void *bytes, size_t length)
{
    write_key(w, key, TM_META_BYTES);
    write_text(w, bytes, length);
}

void tm_encode_string(struct tm_writer *w, const void *bytes, size_t length)
{
    write_text(w, bytes, length);
}

void tm_encode_frame(struct tm_writer *w, struct tm_frame_record *previous, const struct tm_frame_record *next)
{
    uint8_t beside[TM_FRAME_MAX_BYTES];
    uint8_t *const start = place_for(w, beside, sizeof beside);
    uint8_t *at = put_delta(start, previous->file, next->file);
    at = put_delta(at, previous->function, next->function);
    put_record(w, start, tm_put_varint(at, next->line));
    *previous = *next;
}

void tm_encode_traceback(struct tm_writer *w, uint32_t id, struct tm_traceback_record *previous,
                         const struct tm_traceback_record *next)
{
    uint8_t beside[TM_TRACEBACK_MAX_BYTES];
    uint8_t *const start = place_for(w, beside, sizeof beside);
    uint8_t *at = tm_put_varint(start, (uint32_t)(id - next->parent));
    put_record(w, start, put_delta(at, previous->frame, next->frame));
    *previous = *next;
}

static inline uint8_t *put_if_any(uint8_t *at, uint64_t value, unsigned bit, unsigned *mask)
{
    if (value != 0) {
        *mask |= 1U << bit;
        at = tm_put_varint(at, value);
    }
    return at;
}

static inline uint8_t *put_pair_if_any(uint8_t *at, uint64_t bytes, uint64_t blocks, unsigned bit, unsigned *mask)
{
    if ((bytes | blocks) != 0) {
        *mask |= 1U << bit;
        at = tm_put_varint(at, bytes);
        at = tm_put_varint(at, blocks);
    }
    return at;
}

void tm_encode_counter(struct tm_writer *w, struct tm_counter_record *previous, const struct tm_counter_record *next)
{
    uint8_t beside[TM_COUNTER_MAX_BYTES];
    uint8_t *const start = place_for(w, beside, sizeof beside);
    unsigned mask = 0;
    uint8_t *at = tm_put_varint(start, (uint32_t)(next->traceback - previous->traceback));
    *at++ = next->domain;
    uint8_t *const mask_at = at++;
    at = put_if_any(at, next->live_bytes, 0, &mask);
    at = put_if_any(at, next->live_blocks, 1, &mask);
    at = put_if_any(at, next->ever_bytes, 2, &mask);
    at = put_if_any(at, next->ever_blocks, 3, &mask);
    at = put_if_any(at, next->temporary_blocks, 4, &mask);
    at = put_pair_if_any(at, next->peak_python_bytes, next->peak_python_blocks, 5, &mask);
    at = put_pair_if_any(at, next->peak_heap_bytes, next->peak_heap_blocks, 6, &mask);
    *mask_at = (uint8_t)mask;
    put_record(w, start, at);
    previous->traceback = next->traceback; /* nothing else of it is looked at */
}

void tm_encode_size_class(struct tm_writer *w, const struct tm_size_class_record *next)
{
    tm_write_u8(w, next->domain);
    tm_write_varint(w, next->bound);
    tm_write_varint(w, next->live_blocks);
    tm_write_varint(w, next->ever_blocks);
}

void tm_encode_module(struct tm_writer *w, const struct tm_module_record *next)
{
    tm_write_varint(w, next->path);
    write_text(w, next->build_id.bytes, next->build_id.length);
}

void tm_encode_native_frame(struct tm_writer *w, struct tm_native_frame_record *previous,
                            const struct tm_native_frame_record *next)
{
    tm_write_varint(w, (uint32_t)(next->frame - previous->frame));
    tm_write_varint(w, next->module);
    tm_write_varint(w, next->address);
    *previous = *next;
}

void tm_encode_block(struct tm_writer *w, struct tm_block_record *previous, const struct tm_block_record *next)
{
    tm_write_varint(w, next->address - previous->address);
    tm_write_u8(w, next->domain);
    tm_write_varint(w, next->size);
    tm_write_varint(w, next->traceback);
    *previous = *next;
}

size_t tm_format_head_size(unsigned sections)
{
    return TM_SNAPSHOT_HEAD_SIZE + (size_t)sections * TM_SNAPSHOT_SECTION_SIZE;
}

static void write_section(struct tm_writer *w, const struct tm_section *section)
{
    tm_write_u32(w, section->kind);
    tm_write_u32(w, section->codec);
    tm_write_u64(w, section->offset);
    tm_write_u64(w, section->stored_size);
    tm_write_u64(w, section->raw_size);
    tm_write_u64(w, section->count);
    tm_write_u32(w, section->checksum);
    tm_write_u32(w, 0);
}

void tm_encode_head(struct tm_writer *w, const struct tm_section *sections, unsigned count)
{
    uint8_t *head = w->at;
    tm_write_bytes(w, TM_SNAPSHOT_MAGIC, TM_SNAPSHOT_MAGIC_SIZE);
    tm_write_u32(w, TM_SNAPSHOT_VERSION);
    tm_write_u32(w, 0);
    tm_write_u32(w, count);
    uint8_t *checksum_at = w->at;
    tm_write_u32(w, 0);
    uint8_t *directory = w->at;
    for (unsigned i = 0; i < count; i++) {
        write_section(w, &sections[i]);
    }
    if (w->overflow) {
        return;
    }
    uint32_t checksum = tm_crc32c(0, head, (size_t)(checksum_at - head));
    checksum = tm_crc32c(checksum, directory, (size_t)(w->at - directory));
    struct tm_writer place = tm_writer_make(checksum_at, 4);
    tm_write_u32(&place, checksum);
}
