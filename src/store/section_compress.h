/* SPDX-License-Identifier: MIT */
/* zstd over the caller's memory functions: the only file that includes zstd for writing. */
#ifndef TM_STORE_SECTION_COMPRESS_H
#define TM_STORE_SECTION_COMPRESS_H

#include <stddef.h>

#include "store/snapshot_encode.h"

struct tm_compressor;

/* NULL without memory. */
struct tm_compressor *tm_compressor_new(const struct tm_encode_memory *memory);
void tm_compressor_free(struct tm_compressor *compressor);

/* One frame that states its content size; its length in bytes, or 0 when it does not fit. */
size_t tm_compress(struct tm_compressor *compressor, void *to, size_t capacity, const void *from, size_t size);

#endif
