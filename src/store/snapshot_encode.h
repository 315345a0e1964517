/* SPDX-License-Identifier: MIT */
/* A store becomes a snapshot's bytes: the one encoder of the process and of the tools.
 *
 * Memory   by the caller's functions: pages in the process, malloc on the desk.
 * Threads  the store may change meanwhile; what was published when the view was made is what is written.
 * Errors   an enum tm_encode_result; nothing stays allocated then. */
#ifndef TM_STORE_SNAPSHOT_ENCODE_H
#define TM_STORE_SNAPSHOT_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
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

/* *BYTES (SIZE bytes, *CAPACITY to be given to release) is the file's content. */
TM_CHECKED enum tm_encode_result tm_snapshot_encode(const struct tm_store_view *view,
                                                    const struct tm_encode_fact *facts, unsigned fact_count,
                                                    const struct tm_encode_memory *memory, uint8_t **bytes,
                                                    size_t *size, size_t *capacity);

#endif
