/* SPDX-License-Identifier: MIT */
/* The BLOCKS section, made piece by piece: a list of any length needs memory for one piece.
 *
 * Memory   by the caller's functions.   Threads  one.   Signals  safe where the caller's functions are.
 * Errors   sticky, told at the end. */
#ifndef TM_STORE_BLOCK_SECTION_H
#define TM_STORE_BLOCK_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "format/records.h"
#include "store/snapshot_encode.h"

struct tm_compressor;

/* Takes the next SIZE bytes of the section, which begin OFFSET bytes behind its start.  False: it cannot. */
typedef bool tm_block_section_put(void *context, const void *bytes, size_t size, uint64_t offset);

struct tm_block_section {
    const struct tm_encode_memory *memory;
    tm_block_section_put *put;
    void *context;
    struct tm_compressor *compressor;
    uint8_t *raw;
    uint8_t *packed;
    struct tm_writer writer; /* of the present piece */
    struct tm_block_record previous;
    struct tm_section section;
    uint64_t left_out; /* blocks for which the section has no room any more */
    enum tm_encode_result result;
};

/* False without memory: nothing is held then.  Otherwise to be ended. */
TM_CHECKED bool tm_block_section_begin(struct tm_block_section *blocks, const struct tm_encode_memory *memory,
                                       tm_block_section_put *put, void *context);

/* In ascending order of (address, domain). */
void tm_block_section_add(struct tm_block_section *blocks, const struct tm_block_record *block);

/* Puts what is left, gives the memory back and fills *SECTION, but for its place in the file. */
TM_CHECKED enum tm_encode_result tm_block_section_end(struct tm_block_section *blocks, struct tm_section *section);

#endif
