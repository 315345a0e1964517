/* SPDX-License-Identifier: MIT */
/* Whether some bytes are the same, in a few instructions of the caller's own: for what is looked at so seldom that a
 * call would cost more, all of memcmp's code having gone from the cache.   Freestanding.   Signal safe. */
#ifndef TM_BASE_SAME_BYTES_H
#define TM_BASE_SAME_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

/* As the compiler has them: two registers of 64 bits, or one of 128. */
typedef uint64_t tm_pair __attribute__((vector_size(16)));

TM_INLINE tm_pair tm_pair_differs(const unsigned char *some, const unsigned char *others)
{
    tm_pair a, b;
    memcpy(&a, some, sizeof a);
    memcpy(&b, others, sizeof b);
    return a ^ b;
}

TM_INLINE uint64_t tm_word_differs(const unsigned char *some, const unsigned char *others)
{
    uint64_t a, b;
    memcpy(&a, some, sizeof a);
    memcpy(&b, others, sizeof b);
    return a ^ b;
}

/* 0: all SIZE bytes are the same.  What remains at the end is looked at together with what came before it. */
TM_INLINE uint64_t tm_bytes_differ(const unsigned char *some, const unsigned char *others, size_t size)
{
    uint64_t differs = 0;
    if (TM_LIKELY(size >= sizeof(tm_pair))) {
        const size_t last = size - sizeof(tm_pair);
        tm_pair pair = tm_pair_differs(some + last, others + last);
        for (size_t at = 0; at < last; at += sizeof(tm_pair)) {
            pair |= tm_pair_differs(some + at, others + at);
        }
        return pair[0] | pair[1];
    }
    if (size >= sizeof differs) {
        const size_t last = size - sizeof differs;
        return tm_word_differs(some, others) | tm_word_differs(some + last, others + last);
    }
    for (size_t at = 0; at < size; at++) {
        differs |= (uint64_t)(some[at] ^ others[at]);
    }
    return differs;
}

#endif
