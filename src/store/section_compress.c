/* SPDX-License-Identifier: MIT */
#define ZSTD_STATIC_LINKING_ONLY /* own memory functions; zstd is linked statically */
#include "store/section_compress.h"

#include <zstd.h>

/* zstd's own table for so little takes 128 kB; this one takes 32 and does as well. */
#define SMALL          ((size_t)32 << 10)
#define SMALL_HASH_LOG 13

struct tm_compressor {
    const struct tm_encode_memory *memory;
    ZSTD_CCtx *context;
    bool is_first; /* nothing was added yet */
};

/* zstd does not say at release how much it asked for. */
struct piece {
    size_t size;
    size_t unused;
};

static void *get(void *opaque, size_t size)
{
    const struct tm_encode_memory *memory = opaque;
    struct piece *piece = memory->get(size + sizeof *piece);
    if (piece == NULL) {
        return NULL;
    }
    piece->size = size + sizeof *piece;
    return piece + 1;
}

static void release(void *opaque, void *address)
{
    const struct tm_encode_memory *memory = opaque;
    if (address != NULL) {
        struct piece *piece = (struct piece *)address - 1;
        memory->release(piece, piece->size);
    }
}

struct tm_compressor *tm_compressor_new(const struct tm_encode_memory *memory, int level)
{
    struct tm_compressor *compressor = memory->get(sizeof *compressor);
    if (compressor == NULL) {
        return NULL;
    }
    const ZSTD_customMem functions = {get, release, (void *)(uintptr_t)memory};
    compressor->memory = memory;
    compressor->context = ZSTD_createCCtx_advanced(functions);
    if (compressor->context == NULL) {
        memory->release(compressor, sizeof *compressor);
        return NULL;
    }
    (void)ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_compressionLevel, level);
    return compressor;
}

void tm_compressor_free(struct tm_compressor *compressor)
{
    ZSTD_freeCCtx(compressor->context);
    compressor->memory->release(compressor, sizeof *compressor);
}

size_t tm_compress(struct tm_compressor *compressor, void *to, size_t capacity, const void *from, size_t size)
{
    size_t result = ZSTD_compress2(compressor->context, to, capacity, from, size);
    return ZSTD_isError(result) ? 0 : result;
}

void tm_compressor_begin(struct tm_compressor *compressor, size_t size)
{
    (void)ZSTD_CCtx_reset(compressor->context, ZSTD_reset_session_only);
    (void)ZSTD_CCtx_setPledgedSrcSize(compressor->context, size);
    (void)ZSTD_CCtx_setParameter(compressor->context, ZSTD_c_hashLog, size <= SMALL ? SMALL_HASH_LOG : 0);
    compressor->is_first = true;
}

bool tm_compressor_add(struct tm_compressor *compressor, void *to, size_t capacity, const void *from, size_t size,
                       bool last, size_t *put)
{
    ZSTD_inBuffer in = {from, size, 0};
    ZSTD_outBuffer out = {to, capacity, 0};
    size_t left;
    if (last && compressor->is_first) { /* all at once: zstd needs no room of its own for it */
        *put = tm_compress(compressor, to, capacity, from, size);
        return *put != 0;
    }
    compressor->is_first = false;
    do {
        left = ZSTD_compressStream2(compressor->context, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left) || (out.pos == out.size && (left != 0 || in.pos < in.size))) {
            return false;
        }
    } while (last ? left != 0 : in.pos < in.size);
    *put = out.pos;
    return true;
}
