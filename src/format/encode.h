/* SPDX-License-Identifier: MIT */
/* Records to bytes, one encoder for each record.  The bytes stand in tracemalloc/snapshot_format.h.
 *
 * Memory   the caller's, through the writer; what does not fit sets its sticky `overflow` and is not written.
 *          TM_*_MAX_BYTES is the most that one item takes, for strings beside their own length.
 * Order    PREVIOUS is the item before and is updated; it starts as all zeros.
 * Threads  one thread per writer.     Signals  safe: no libc function but memcpy.     Errors  the writer's. */
#ifndef TM_FORMAT_ENCODE_H
#define TM_FORMAT_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "format/records.h"

#define TM_META_MAX_BYTES       (2U * TM_VARINT64_MAX_BYTES + 1U) /* + length of the key + length of the bytes */
#define TM_STRING_MAX_BYTES     TM_VARINT64_MAX_BYTES             /* + length of the string */
#define TM_FRAME_MAX_BYTES      (2U * TM_DELTA32_MAX_BYTES + TM_VARINT32_MAX_BYTES)
#define TM_TRACEBACK_MAX_BYTES  (TM_VARINT32_MAX_BYTES + TM_DELTA32_MAX_BYTES)
#define TM_COUNTER_MAX_BYTES    (TM_VARINT32_MAX_BYTES + 2U + 9U * TM_VARINT64_MAX_BYTES)
#define TM_SIZE_CLASS_MAX_BYTES (1U + 3U * TM_VARINT64_MAX_BYTES)
#define TM_MODULE_MAX_BYTES     (TM_VARINT32_MAX_BYTES + TM_VARINT64_MAX_BYTES) /* + length of the build id */
#define TM_NATIVE_MAX_BYTES     (2U * TM_VARINT32_MAX_BYTES + TM_VARINT64_MAX_BYTES)
#define TM_BLOCK_MAX_BYTES      (2U * TM_VARINT64_MAX_BYTES + 1U + TM_VARINT32_MAX_BYTES)

/* KEY is zero-terminated. */
void tm_encode_meta_u64(struct tm_writer *w, const char *key, uint64_t value);
void tm_encode_meta_i64(struct tm_writer *w, const char *key, int64_t value);
void tm_encode_meta_bytes(struct tm_writer *w, const char *key, const void *bytes, size_t length);

void tm_encode_string(struct tm_writer *w, const void *bytes, size_t length);
void tm_encode_frame(struct tm_writer *w, struct tm_frame_record *previous, const struct tm_frame_record *next);

/* ID is the traceback's own; next->parent is smaller. */
void tm_encode_traceback(struct tm_writer *w, uint32_t id, struct tm_traceback_record *previous,
                         const struct tm_traceback_record *next);

/* In ascending order of (traceback, domain). */
void tm_encode_counter(struct tm_writer *w, struct tm_counter_record *previous, const struct tm_counter_record *next);
void tm_encode_size_class(struct tm_writer *w, const struct tm_size_class_record *next);

void tm_encode_module(struct tm_writer *w, const struct tm_module_record *next);

/* In ascending order of frames. */
void tm_encode_native_frame(struct tm_writer *w, struct tm_native_frame_record *previous,
                            const struct tm_native_frame_record *next);

/* In ascending order of (address, domain). */
void tm_encode_block(struct tm_writer *w, struct tm_block_record *previous, const struct tm_block_record *next);

/* Bytes of head and directory: where the first section begins. */
size_t tm_format_head_size(unsigned sections);

/* Head and directory, with the checksum over both.  The checksums of the sections, tm_crc32c of their stored bytes, are
 * the caller's. */
void tm_encode_head(struct tm_writer *w, const struct tm_section *sections, unsigned count);

#endif
