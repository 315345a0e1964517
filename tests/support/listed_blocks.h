/* SPDX-License-Identifier: MIT */
/* Takes a BLOCKS section as it is made and reads it again. */
#ifndef TM_TESTS_LISTED_BLOCKS_H
#define TM_TESTS_LISTED_BLOCKS_H

#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "format/decode.h"
#include "store/block_section.h"

struct listed_blocks {
    uint8_t *bytes;
    size_t size;
    unsigned puts;
    unsigned fails_at; /* the put that fails, from 1; 0: none */
    struct tm_block_record *blocks;
    size_t count;
};

static inline bool listed_put(void *context, const void *bytes, size_t size, uint64_t offset)
{
    struct listed_blocks *listed = context;
    if (++listed->puts == listed->fails_at) {
        return false;
    }
    if (offset != listed->size) {
        abort(); /* pieces lie one behind the other */
    }
    listed->bytes = realloc(listed->bytes, listed->size + size);
    if (listed->bytes == NULL) {
        abort();
    }
    memcpy(listed->bytes + offset, bytes, size);
    listed->size += size;
    return true;
}

/* Unpacks and decodes what was put.  False: it is not what SECTION says. */
static inline bool listed_read(struct listed_blocks *listed, const struct tm_section *section)
{
    uint8_t *raw = malloc((size_t)section->raw_size + 1);
    listed->blocks = calloc((size_t)section->count + 1, sizeof *listed->blocks);
    if (raw == NULL || listed->blocks == NULL) {
        abort();
    }
    bool good = section->stored_size == listed->size &&
                ZSTD_decompress(raw, (size_t)section->raw_size, listed->bytes, listed->size) == section->raw_size;
    struct tm_reader reader = tm_reader_make(raw, (size_t)section->raw_size);
    struct tm_block_record before = {0, 0, 0, 0};
    while (good && listed->count < section->count) {
        good = tm_decode_block(&reader, listed->count == 0, &before, &listed->blocks[listed->count]);
        listed->count++;
    }
    good = good && tm_reader_left(&reader) == 0;
    free(raw);
    return good;
}

static inline void listed_free(struct listed_blocks *listed)
{
    free(listed->bytes);
    free(listed->blocks);
}

#endif
