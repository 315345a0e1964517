/* SPDX-License-Identifier: MIT */
/* Head, directory and the sections, compressed: the file's content but for the blocks. */
#include <string.h>

#include "base/crc32c.h"
#include "store/snapshot_encoding.h"

#define AT_ONCE ((size_t)32 << 10) /* bytes of a section that a step takes */
/* Bytes of a file that is to be no smaller: it takes a block of its file system anyway, and zstd's tables take longer
 * than all else. */
#define BLOCK 4096U

void tm_snapshot_pack_begin(struct tm_encoding *encoding)
{
    size_t raw = tm_writer_length(&encoding->raw);
    encoding->packing = encoding->blocks == NULL ? 0 : 1;
    encoding->size = tm_format_head_size(encoding->section_count);
    encoding->capacity = tm_format_head_size(TM_ENCODING_SECTIONS) + raw + TM_ENCODING_SECTIONS * 1024U + raw / 128;
    encoding->bytes = encoding->memory->get(encoding->capacity);
    bool is_small = encoding->blocks == NULL && encoding->size + raw <= BLOCK;
    if (encoding->bytes != NULL && !is_small) {
        encoding->compressor = tm_compressor_new(encoding->memory, TM_COMPRESS_QUICK);
    }
    if (encoding->bytes == NULL || (encoding->compressor == NULL && !is_small)) {
        encoding->result = TM_ENCODE_NO_MEMORY;
    }
}

/* What does not become smaller is stored as it is. */
static void end_section(struct tm_encoding *encoding, struct tm_section *section, bool fits)
{
    uint8_t *at = encoding->bytes + encoding->size;
    section->offset = encoding->size + (encoding->blocks == NULL ? 0 : encoding->blocks->size);
    section->codec = TM_CODEC_ZSTD;
    section->stored_size = encoding->put;
    if (!fits || section->stored_size == 0 || section->stored_size >= section->raw_size) {
        if (section->raw_size > encoding->capacity - encoding->size) {
            encoding->result = TM_ENCODE_FAILED;
            return;
        }
        section->codec = TM_CODEC_STORED;
        section->stored_size = section->raw_size;
        memcpy(at, encoding->raw.start + encoding->starts[encoding->packing], (size_t)section->raw_size);
        section->checksum = tm_crc32c(0, at, (size_t)section->stored_size);
    }
    encoding->size += (size_t)section->stored_size;
    encoding->packing++;
    encoding->taken = encoding->put = 0;
}

static void put_head(struct tm_encoding *encoding)
{
    struct tm_writer head = tm_writer_make(encoding->bytes, tm_format_head_size(encoding->section_count));
    tm_encode_head(&head, encoding->sections, encoding->section_count);
    if (head.overflow) {
        encoding->result = TM_ENCODE_FAILED;
    }
}

bool tm_snapshot_pack_step(struct tm_encoding *encoding)
{
    if (encoding->packing == encoding->section_count) {
        put_head(encoding);
        return false;
    }
    struct tm_section *section = &encoding->sections[encoding->packing];
    if (encoding->compressor == NULL) {
        end_section(encoding, section, false);
        return true;
    }
    size_t left = (size_t)section->raw_size - encoding->taken;
    size_t part = left < AT_ONCE || encoding->at_once ? left : AT_ONCE; /* in parts zstd keeps a copy of what went in */
    uint8_t *at = encoding->bytes + encoding->size + encoding->put;
    size_t room = encoding->capacity - encoding->size - encoding->put;
    if (encoding->taken == 0) {
        tm_compressor_begin(encoding->compressor, (size_t)section->raw_size);
    }
    const uint8_t *raw = encoding->raw.start + encoding->starts[encoding->packing] + encoding->taken;
    size_t put;
    bool fits = tm_compressor_add(encoding->compressor, at, room, raw, part, part == left, &put);
    if (fits) {
        section->checksum = tm_crc32c(section->checksum, at, put);
        encoding->put += put;
        encoding->taken += part;
    }
    if (!fits || part == left) {
        end_section(encoding, section, fits);
    }
    return true;
}
