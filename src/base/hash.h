/* SPDX-License-Identifier: MIT */
/* Mixing of 64-bit words and byte strings for the project's own tables.
 * Not for hostile keys: no table here is filled by anybody but the traced process itself. */
#ifndef TM_BASE_HASH_H
#define TM_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

/* Odd, with bits spread evenly: 2^64 divided by the golden ratio. */
#define TM_HASH_MULTIPLIER UINT64_C(0x9E3779B97F4A7C15)

/* Spreads every bit of WORD over the whole result.  One multiplication: for keys that differ anywhere. */
TM_INLINE uint64_t tm_hash_word(uint64_t word)
{
    word ^= word >> 32;
    word *= TM_HASH_MULTIPLIER;
    return word ^ (word >> 29);
}

/* Joins WORD to the hash of what came before it; the order matters. */
TM_INLINE uint64_t tm_hash_join(uint64_t hash, uint64_t word)
{
    return tm_hash_word((hash ^ word) + (hash << 7) + (hash >> 3) + TM_HASH_MULTIPLIER);
}

/* LENGTH bytes at BYTES, which need no alignment. */
static inline uint64_t tm_hash_bytes(const void *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes;
    uint64_t hash = (uint64_t)length * TM_HASH_MULTIPLIER;
    uint64_t word;
    while (length >= sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = tm_hash_join(hash, word);
        at += sizeof word;
        length -= sizeof word;
    }
    if (length > 0) {
        word = 0;
        memcpy(&word, at, length);
        hash = tm_hash_join(hash, word);
    }
    return hash;
}

#endif
