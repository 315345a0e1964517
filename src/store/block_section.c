/* SPDX-License-Identifier: MIT */
#include "store/block_section.h"

#include <string.h>

#include "base/crc32c.h"
#include "format/encode.h"
#include "store/section_compress.h"

#define PIECE           ((size_t)512 << 10)          /* bytes before compression */
#define PACKED_CAPACITY (PIECE + PIECE / 128 + 1024) /* what zstd makes of a piece at most */
#define RAW_MAX         (UINT64_C(1) << 30)          /* as the format says */
#define COUNT_MAX       (UINT32_MAX - UINT64_C(1))

static void release(struct tm_block_section *blocks)
{
    if (blocks->raw != NULL) {
        blocks->memory->release(blocks->raw, PIECE);
    }
    if (blocks->packed != NULL) {
        blocks->memory->release(blocks->packed, PACKED_CAPACITY);
    }
    if (blocks->compressor != NULL) {
        tm_compressor_free(blocks->compressor);
    }
}

bool tm_block_section_begin(struct tm_block_section *blocks, const struct tm_encode_memory *memory,
                            tm_block_section_put *put, void *context)
{
    *blocks = (struct tm_block_section){.memory = memory, .put = put, .context = context};
    blocks->section = (struct tm_section){.kind = TM_SECTION_BLOCKS, .codec = TM_CODEC_ZSTD_FRAMES};
    blocks->raw = memory->get(PIECE);
    blocks->packed = memory->get(PACKED_CAPACITY);
    blocks->compressor = tm_compressor_new(memory, TM_COMPRESS_SMALL);
    if (blocks->raw == NULL || blocks->packed == NULL || blocks->compressor == NULL) {
        release(blocks);
        return false;
    }
    blocks->writer = tm_writer_make(blocks->raw, PIECE);
    return true;
}

static void put_piece(struct tm_block_section *blocks)
{
    struct tm_section *section = &blocks->section;
    size_t length = tm_writer_length(&blocks->writer);
    if (length == 0 || blocks->result != TM_ENCODE_DONE) {
        return;
    }
    size_t packed = tm_compress(blocks->compressor, blocks->packed, PACKED_CAPACITY, blocks->raw, length);
    if (packed == 0 || !blocks->put(blocks->context, blocks->packed, packed, section->stored_size)) {
        blocks->result = TM_ENCODE_FAILED;
        return;
    }
    section->checksum = tm_crc32c(section->checksum, blocks->packed, packed);
    section->raw_size += length;
    section->stored_size += packed;
    blocks->writer = tm_writer_make(blocks->raw, PIECE);
}

void tm_block_section_add(struct tm_block_section *blocks, const struct tm_block_record *block)
{
    if (blocks->result != TM_ENCODE_DONE) {
        return;
    }
    if (PIECE - tm_writer_length(&blocks->writer) < TM_BLOCK_MAX_BYTES) {
        put_piece(blocks);
    }
    if (blocks->section.raw_size > RAW_MAX - PIECE || blocks->section.count == COUNT_MAX) {
        blocks->left_out++;
        return;
    }
    tm_encode_block(&blocks->writer, &blocks->previous, block);
    blocks->section.count++;
}

enum tm_encode_result tm_block_section_end(struct tm_block_section *blocks, struct tm_section *section)
{
    put_piece(blocks);
    *section = blocks->section;
    release(blocks);
    return blocks->result;
}
