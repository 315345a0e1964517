/* SPDX-License-Identifier: MIT */
/* Bounds-checked cursors over memory: little endian, LEB128 varints, zigzag.
 *
 * Errors   are sticky: after the first one a reader yields zeros and a writer writes nothing; look once, at the end.
 * Memory   the caller's; no allocation, no alignment needed.
 * Threads  one thread per cursor.
 * Signals  safe: no libc function but memcpy. */
#ifndef TM_BASE_BYTES_H
#define TM_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The most bytes that a varint takes. */
#define TM_VARINT32_MAX_BYTES 5U
#define TM_VARINT64_MAX_BYTES 10U
/* Of the zigzag difference of two 32-bit numbers (33 bits). */
#define TM_DELTA32_MAX_BYTES 5U

struct tm_writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool overflow;
};

struct tm_reader {
    const uint8_t *start;
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline struct tm_writer tm_writer_make(void *buffer, size_t capacity)
{
    uint8_t *start = (uint8_t *)buffer;
    return (struct tm_writer){start, start, start + capacity, false};
}

static inline size_t tm_writer_length(const struct tm_writer *writer)
{
    return (size_t)(writer->at - writer->start);
}

static inline size_t tm_writer_room(const struct tm_writer *writer)
{
    return (size_t)(writer->end - writer->at);
}

/* Room for SIZE bytes, or NULL and overflow. */
static inline uint8_t *tm_write_room(struct tm_writer *writer, size_t size)
{
    if (writer->overflow || tm_writer_room(writer) < size) {
        writer->overflow = true;
        return NULL;
    }
    uint8_t *at = writer->at;
    writer->at += size;
    return at;
}

static inline void tm_write_bytes(struct tm_writer *writer, const void *bytes, size_t length)
{
    uint8_t *at = tm_write_room(writer, length);
    if (at != NULL && length > 0) {
        memcpy(at, bytes, length);
    }
}

static inline void tm_write_u8(struct tm_writer *writer, uint8_t value)
{
    uint8_t *at = tm_write_room(writer, 1);
    if (at != NULL) {
        *at = value;
    }
}

static inline void tm_write_u32(struct tm_writer *writer, uint32_t value)
{
    uint8_t *at = tm_write_room(writer, 4);
    for (unsigned i = 0; at != NULL && i < 4; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

static inline void tm_write_u64(struct tm_writer *writer, uint64_t value)
{
    uint8_t *at = tm_write_room(writer, 8);
    for (unsigned i = 0; at != NULL && i < 8; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

/* The bytes of VALUE to AT, which has room for as many as it can take; returns where the next goes. */
static inline uint8_t *tm_put_varint(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static inline void tm_write_varint(struct tm_writer *writer, uint64_t value)
{
    if (!writer->overflow && tm_writer_room(writer) >= TM_VARINT64_MAX_BYTES) {
        writer->at = tm_put_varint(writer->at, value);
        return;
    }
    uint8_t bytes[TM_VARINT64_MAX_BYTES];
    tm_write_bytes(writer, bytes, (size_t)(tm_put_varint(bytes, value) - bytes));
}

static inline uint64_t tm_zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value < 0 ? -1 : 0);
}

static inline int64_t tm_unzigzag(uint64_t value)
{
    return (int64_t)((value >> 1) ^ (0 - (value & 1)));
}

static inline void tm_write_zigzag(struct tm_writer *writer, int64_t value)
{
    tm_write_varint(writer, tm_zigzag(value));
}

static inline struct tm_reader tm_reader_make(const void *bytes, size_t length)
{
    const uint8_t *start = (const uint8_t *)bytes;
    return (struct tm_reader){start, start, start + length, false};
}

static inline size_t tm_reader_left(const struct tm_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

/* Bytes already read: where the next item, or the fault, is. */
static inline size_t tm_reader_offset(const struct tm_reader *reader)
{
    return (size_t)(reader->at - reader->start);
}

/* The next LENGTH bytes, or NULL and failed. */
static inline const uint8_t *tm_read_bytes(struct tm_reader *reader, uint64_t length)
{
    if (reader->failed || tm_reader_left(reader) < length) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *at = reader->at;
    reader->at += length;
    return at;
}

static inline uint8_t tm_read_u8(struct tm_reader *reader)
{
    const uint8_t *at = tm_read_bytes(reader, 1);
    return at != NULL ? *at : 0;
}

static inline uint32_t tm_read_u32(struct tm_reader *reader)
{
    const uint8_t *at = tm_read_bytes(reader, 4);
    uint32_t value = 0;
    for (unsigned i = 0; at != NULL && i < 4; i++) {
        value |= (uint32_t)at[i] << (8 * i);
    }
    return value;
}

static inline uint64_t tm_read_u64(struct tm_reader *reader)
{
    const uint8_t *at = tm_read_bytes(reader, 8);
    uint64_t value = 0;
    for (unsigned i = 0; at != NULL && i < 8; i++) {
        value |= (uint64_t)at[i] << (8 * i);
    }
    return value;
}

/* Fails on more than 64 bits. */
static inline uint64_t tm_read_varint(struct tm_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = tm_read_u8(reader);
        if (shift == 63 && byte > 1) {
            break;
        }
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    reader->failed = true;
    return 0;
}

/* Fails on more than MAX. */
static inline uint64_t tm_read_varint_max(struct tm_reader *reader, uint64_t max)
{
    uint64_t value = tm_read_varint(reader);
    if (value > max) {
        reader->failed = true;
        return 0;
    }
    return value;
}

static inline int64_t tm_read_zigzag(struct tm_reader *reader)
{
    return tm_unzigzag(tm_read_varint(reader));
}

#endif
