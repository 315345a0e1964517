/* SPDX-License-Identifier: MIT */
/* The decoded records of a snapshot file: the words that both halves speak.  What they mean stands, with their bytes,
 * in tracemalloc/snapshot_format.h. */
#ifndef TM_FORMAT_RECORDS_H
#define TM_FORMAT_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#include "tracemalloc/snapshot_format.h"

/* A directory entry.  Sizes and offset in bytes. */
struct tm_section {
    uint32_t kind;
    uint32_t codec;
    uint64_t offset;
    uint64_t stored_size;
    uint64_t raw_size;
    uint64_t count; /* items */
    uint32_t checksum;
};

/* Bytes inside the decoded section; not zero-terminated. */
struct tm_span {
    const uint8_t *bytes;
    size_t length;
};

struct tm_meta_record {
    struct tm_span key;
    enum tm_meta_type type;
    uint64_t number; /* U64; I64 as two's complement */
    struct tm_span bytes;
};

struct tm_frame_record {
    uint32_t file;     /* string id */
    uint32_t function; /* string id */
    uint32_t line;     /* 0: not known */
    uint32_t native;   /* not of this record's own bytes: 1 + its place among the NATIVE_FRAMES; 0: a Python frame */
};

struct tm_module_record {
    uint32_t path; /* string id */
    struct tm_span build_id;
};

struct tm_native_frame_record {
    uint32_t frame;
    uint32_t module; /* from 1 */
    uint64_t address;
};

struct tm_traceback_record {
    uint32_t parent; /* the traceback of the older frames; 0: none */
    uint32_t frame;  /* the most recent frame */
};

/* Bytes and blocks of one (traceback, domain). */
struct tm_counter_record {
    uint32_t traceback;
    uint8_t domain; /* enum tm_domain */
    uint64_t live_bytes;
    uint64_t live_blocks;
    uint64_t ever_bytes;
    uint64_t ever_blocks;
    uint64_t temporary_blocks;
    uint64_t peak_python_bytes;
    uint64_t peak_python_blocks;
    uint64_t peak_heap_bytes;
    uint64_t peak_heap_blocks;
};

/* Below, at or above 0: A stands in a file before, for the same as, or after B. */
static inline int tm_counter_compare(const struct tm_counter_record *a, const struct tm_counter_record *b)
{
    if (a->traceback != b->traceback) {
        return a->traceback < b->traceback ? -1 : 1;
    }
    return (a->domain > b->domain) - (a->domain < b->domain);
}

struct tm_size_class_record {
    uint8_t domain; /* enum tm_domain */
    uint64_t bound; /* bytes of the largest block in the class */
    uint64_t live_blocks;
    uint64_t ever_blocks;
};

/* A live block. */
struct tm_block_record {
    uint64_t address;
    uint64_t size; /* bytes; address + size is at most 2^64 */
    uint32_t traceback;
    uint8_t domain; /* enum tm_domain */
};

#endif
