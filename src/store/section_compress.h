/* SPDX-License-Identifier: MIT */
/* zstd over the caller's memory functions: the only file that includes zstd for writing. */
#ifndef TM_STORE_SECTION_COMPRESS_H
#define TM_STORE_SECTION_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "store/snapshot_encode.h"

struct tm_compressor;

/* Levels of zstd.  Records of tracebacks are larger by 3 % at the quick one, in two thirds of the instructions and
 * without tables of 800 kB that are set to zero; single blocks are larger by 14 %, and of those there are many. */
#define TM_COMPRESS_QUICK 1
#define TM_COMPRESS_SMALL 3

/* NULL without memory. */
struct tm_compressor *tm_compressor_new(const struct tm_encode_memory *memory, int level);
void tm_compressor_free(struct tm_compressor *compressor);

/* One frame that states its content size; its length in bytes, or 0 when it does not fit. */
size_t tm_compress(struct tm_compressor *compressor, void *to, size_t capacity, const void *from, size_t size);

/* The same in parts: begin a frame of SIZE bytes, then add them; LAST ends it.  *PUT bytes came out of it at TO; not
 * all that went in need have come out before the last.  False: it does not fit, and the frame is lost. */
void tm_compressor_begin(struct tm_compressor *compressor, size_t size);
TM_CHECKED bool tm_compressor_add(struct tm_compressor *compressor, void *to, size_t capacity, const void *from,
                                  size_t size, bool last, size_t *put);

#endif
