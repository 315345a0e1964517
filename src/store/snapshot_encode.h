/* SPDX-License-Identifier: MIT */
/* A store becomes a snapshot's bytes: the one encoder of the process and of the tools.
 *
 * Memory   by the caller's functions: pages in the process, malloc on the desk.
 * Threads  the store may change meanwhile; what was published when the view was made is what is written.
 * Errors   an enum tm_encode_result; nothing stays allocated then. */
#ifndef TM_STORE_SNAPSHOT_ENCODE_H
#define TM_STORE_SNAPSHOT_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "format/records.h"
#include "store/store_view.h"

/* Zeroed memory; get returns NULL when there is none.  SIZE at release is what was asked for. */
struct tm_encode_memory {
    void *(*get)(size_t size);
    void (*release)(void *memory, size_t size);
};

enum tm_encode_result {
    TM_ENCODE_DONE,
    TM_ENCODE_NO_MEMORY,
    TM_ENCODE_FAILED, /* the store contradicts itself, or the compressor refused; never with sound input */
};

/* A fact of the moment of the snapshot; TEXT NULL: the number counts.  Facts that the store's header holds are added
 * by the encoder. */
struct tm_encode_fact {
    const char *key;
    const char *text;
    size_t length;
    uint64_t number;
};

struct tm_selection;

/* Single blocks, which only the process knows: it writes their section into the file by itself, before the rest. */
struct tm_encode_blocks {
    /* Makes the section from OFFSET of the file on.  *LEFT_OUT: blocks that are not in it for want of room or
     * memory. */
    enum tm_encode_result (*write)(void *context, const struct tm_selection *selection, uint64_t offset,
                                   struct tm_section *section, uint64_t *left_out);
    void *context;
    uint64_t offset; /* answered: of the section, and its bytes */
    uint64_t size;
};

/* *BYTES (SIZE bytes, *CAPACITY to be given to release) is the file's content. */
TM_CHECKED enum tm_encode_result tm_snapshot_encode(const struct tm_store_view *view,
                                                    const struct tm_encode_fact *facts, unsigned fact_count,
                                                    const struct tm_encode_memory *memory, uint8_t **bytes,
                                                    size_t *size, size_t *capacity);

/* The same with a section of BLOCKS: in the file it comes between the first blocks->offset of the BYTES and the
 * others. */
TM_CHECKED enum tm_encode_result tm_snapshot_encode_with(const struct tm_store_view *view,
                                                         struct tm_encode_blocks *blocks,
                                                         const struct tm_encode_fact *facts, unsigned fact_count,
                                                         const struct tm_encode_memory *memory, uint8_t **bytes,
                                                         size_t *size, size_t *capacity);

/* The same in steps of at most about half a millisecond each, for where the caller must not be kept: begin, step as
 * long as there is more, end.  VIEW, BLOCKS, FACTS and MEMORY stay the caller's until the end.  With blocks the step
 * that writes them is as long as that takes. */
struct tm_encoding;

/* NULL without memory. */
TM_CHECKED struct tm_encoding *tm_encoding_begin(const struct tm_store_view *view, struct tm_encode_blocks *blocks,
                                                 const struct tm_encode_fact *facts, unsigned fact_count,
                                                 const struct tm_encode_memory *memory);

/* False: there is nothing left to do. */
bool tm_encoding_step(struct tm_encoding *encoding);

/* The result, as of tm_snapshot_encode; ENCODING is gone. */
TM_CHECKED enum tm_encode_result tm_encoding_end(struct tm_encoding *encoding, uint8_t **bytes, size_t *size,
                                                 size_t *capacity);

/* Lets go of it, wherever it is. */
void tm_encoding_drop(struct tm_encoding *encoding);

#endif
