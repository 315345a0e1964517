/* SPDX-License-Identifier: MIT */
/* The budget, and stored bytes to raw bytes. */
#include "report/snapshot/load_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

enum tm_status tm_load_fail(struct tm_load *load, enum tm_status status, uint64_t offset, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    load->fault->offset = offset;
    (void)vsnprintf(load->fault->what, sizeof load->fault->what, format, arguments);
    va_end(arguments);
    return status;
}

enum tm_status tm_load_allocate(struct tm_load *load, uint64_t count, size_t size, uint64_t offset, void **memory)
{
    if (count > load->budget / size) {
        return tm_load_fail(load, TM_STATUS_TOO_LARGE, offset, "%llu items in a file of %zu bytes cannot be",
                            (unsigned long long)count, load->size);
    }
    void *block = calloc(count > 0 ? (size_t)count : 1, size);
    if (block == NULL || load->snapshot->buffer_count == TM_SNAPSHOT_BUFFERS) {
        free(block);
        return tm_load_fail(load, TM_STATUS_NO_MEMORY, offset, "no memory for %llu items", (unsigned long long)count);
    }
    load->budget -= count * size;
    load->snapshot->buffers[load->snapshot->buffer_count++] = block;
    *memory = block;
    return TM_STATUS_OK;
}

static enum tm_status unpack(struct tm_load *load, const struct tm_section *section, const uint8_t **raw)
{
    const uint8_t *stored = load->bytes + section->offset;
    const char *name = tm_load_section_name(section->kind);
    unsigned long long stated = ZSTD_getFrameContentSize(stored, (size_t)section->stored_size);
    if (stated == ZSTD_CONTENTSIZE_ERROR || stated == ZSTD_CONTENTSIZE_UNKNOWN || stated != section->raw_size) {
        return tm_load_fail(load, TM_STATUS_CORRUPT, section->offset,
                            "section %s: the zstd frame does not hold the %llu bytes of the directory", name,
                            (unsigned long long)section->raw_size);
    }
    void *memory = NULL;
    enum tm_status status = tm_load_allocate(load, section->raw_size, 1, section->offset, &memory);
    if (status != TM_STATUS_OK) {
        return status;
    }
    size_t length = ZSTD_decompress(memory, (size_t)section->raw_size, stored, (size_t)section->stored_size);
    if (ZSTD_isError(length) || length != section->raw_size) {
        return tm_load_fail(load, TM_STATUS_CORRUPT, section->offset, "section %s: the zstd frame is damaged", name);
    }
    *raw = (const uint8_t *)memory;
    return TM_STATUS_OK;
}

/* The length of the frame at STORED, of LEFT bytes, which states that it holds at most ROOM bytes, *HOLDS; 0: it does
 * not. */
static size_t frame_length(const uint8_t *stored, size_t left, uint64_t room, size_t *holds)
{
    unsigned long long stated = ZSTD_getFrameContentSize(stored, left);
    size_t length = ZSTD_findFrameCompressedSize(stored, left);
    if (stated == ZSTD_CONTENTSIZE_ERROR || stated == ZSTD_CONTENTSIZE_UNKNOWN || stated > room ||
        ZSTD_isError(length)) {
        return 0;
    }
    *holds = (size_t)stated;
    return length;
}

static enum tm_status unpack_frames(struct tm_load *load, const struct tm_section *section, const uint8_t **raw)
{
    const char *name = tm_load_section_name(section->kind);
    size_t from = 0, to = 0, size = (size_t)section->raw_size, stored = (size_t)section->stored_size;
    void *memory = NULL;
    enum tm_status status = tm_load_allocate(load, section->raw_size, 1, section->offset, &memory);
    while (status == TM_STATUS_OK && from < stored) {
        const uint8_t *frame = load->bytes + section->offset + from;
        size_t holds = 0, length = frame_length(frame, stored - from, size - to, &holds);
        if (length == 0 || ZSTD_decompress((uint8_t *)memory + to, holds, frame, length) != holds) {
            return tm_load_fail(load, TM_STATUS_CORRUPT, section->offset + from,
                                "section %s: one of its zstd frames is damaged", name);
        }
        from += length;
        to += holds;
    }
    if (status == TM_STATUS_OK && to != size) {
        return tm_load_fail(load, TM_STATUS_CORRUPT, section->offset,
                            "section %s: the zstd frames do not hold the %llu bytes of the directory", name,
                            (unsigned long long)section->raw_size);
    }
    *raw = (const uint8_t *)memory;
    return status;
}

static enum tm_status copy(struct tm_load *load, const struct tm_section *section, const uint8_t **raw)
{
    if (section->stored_size != section->raw_size) {
        return tm_load_fail(load, TM_STATUS_CORRUPT, section->offset, "section %s: stored with two sizes",
                            tm_load_section_name(section->kind));
    }
    void *memory = NULL;
    enum tm_status status = tm_load_allocate(load, section->raw_size, 1, section->offset, &memory);
    if (status == TM_STATUS_OK) {
        memcpy(memory, load->bytes + section->offset, (size_t)section->raw_size);
        *raw = (const uint8_t *)memory;
    }
    return status;
}

enum tm_status tm_load_section_bytes(struct tm_load *load, const struct tm_section *section, const uint8_t **raw)
{
    const char *name = tm_load_section_name(section->kind);
    if (section->raw_size > TM_LOAD_RAW_MAX) {
        return tm_load_fail(load, TM_STATUS_TOO_LARGE, section->offset, "section %s claims %llu bytes", name,
                            (unsigned long long)section->raw_size);
    }
    switch (section->codec) {
    case TM_CODEC_STORED:
        return copy(load, section, raw);
    case TM_CODEC_ZSTD:
        return unpack(load, section, raw);
    case TM_CODEC_ZSTD_FRAMES:
        return unpack_frames(load, section, raw);
    default:
        return tm_load_fail(load, TM_STATUS_TOO_NEW, section->offset, "section %s: codec %u is not known", name,
                            (unsigned)section->codec);
    }
}
