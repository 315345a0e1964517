/* SPDX-License-Identifier: MIT */
/* Bytes to records, one decoder for each record; the mirror of format/encode.h.
 *
 * The bytes are hostile: a decoder refuses what ends early, does not fit its type, or contradicts its own record.
 * References into other sections (string ids, frame ids) are the loader's to check.
 *
 * Memory   none is allocated; spans point into the reader's bytes.
 * Order    PREVIOUS is the item before and is updated; it starts as all zeros.
 * Threads  one thread per reader.     Errors  false, and the reader's `failed` is set for good. */
#ifndef TM_FORMAT_DECODE_H
#define TM_FORMAT_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "format/records.h"

/* The fewest bytes that one item takes. */
#define TM_META_MIN_BYTES       3U
#define TM_STRING_MIN_BYTES     1U
#define TM_FRAME_MIN_BYTES      3U
#define TM_TRACEBACK_MIN_BYTES  2U
#define TM_COUNTER_MIN_BYTES    3U
#define TM_SIZE_CLASS_MIN_BYTES 4U
#define TM_MODULE_MIN_BYTES     2U
#define TM_NATIVE_MIN_BYTES     3U
#define TM_BLOCK_MIN_BYTES      4U

/* The file head as it stands there; the magic and the checksum are looked at by the caller. */
struct tm_head_record {
    const uint8_t *magic; /* TM_SNAPSHOT_MAGIC_SIZE bytes */
    uint32_t version;
    uint32_t flags;
    uint32_t sections;
    uint32_t checksum;
};

TM_CHECKED bool tm_decode_head(struct tm_reader *r, struct tm_head_record *head);
TM_CHECKED bool tm_decode_section(struct tm_reader *r, struct tm_section *section);
TM_CHECKED bool tm_decode_meta(struct tm_reader *r, struct tm_meta_record *meta);
TM_CHECKED bool tm_decode_string(struct tm_reader *r, struct tm_span *string);
TM_CHECKED bool tm_decode_frame(struct tm_reader *r, struct tm_frame_record *previous, struct tm_frame_record *next);

/* ID is the traceback's own, 1 or more. */
TM_CHECKED bool tm_decode_traceback(struct tm_reader *r, uint32_t id, struct tm_traceback_record *previous,
                                    struct tm_traceback_record *next);

/* FIRST: there is no item before, so any (traceback, domain) may come. */
TM_CHECKED bool tm_decode_counter(struct tm_reader *r, bool first, struct tm_counter_record *previous,
                                  struct tm_counter_record *next);
TM_CHECKED bool tm_decode_module(struct tm_reader *r, struct tm_module_record *next);
TM_CHECKED bool tm_decode_native_frame(struct tm_reader *r, struct tm_native_frame_record *previous,
                                       struct tm_native_frame_record *next);
TM_CHECKED bool tm_decode_size_class(struct tm_reader *r, struct tm_size_class_record *next);

/* FIRST: there is no item before, so any (address, domain) may come. */
TM_CHECKED bool tm_decode_block(struct tm_reader *r, bool first, struct tm_block_record *previous,
                                struct tm_block_record *next);

#endif
