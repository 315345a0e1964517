/* SPDX-License-Identifier: MIT */
/* The numbers that call frame information is written in.  A reader that comes to its end gives zeros and says so. */
#ifndef TM_RUNTIME_UNWIND_CFI_BYTES_H
#define TM_RUNTIME_UNWIND_CFI_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

struct tm_cfi_bytes {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

TM_INLINE size_t tm_cfi_left(const struct tm_cfi_bytes *bytes)
{
    return (size_t)(bytes->end - bytes->at);
}

/* SIZE is 1, 2, 4 or 8. */
static inline uint64_t tm_cfi_fixed(struct tm_cfi_bytes *bytes, size_t size)
{
    uint64_t value = 0;
    if (tm_cfi_left(bytes) < size) {
        bytes->failed = true;
        bytes->at = bytes->end;
        return 0;
    }
    memcpy(&value, bytes->at, size);
    bytes->at += size;
    return value;
}

static inline int64_t tm_cfi_fixed_signed(struct tm_cfi_bytes *bytes, size_t size)
{
    unsigned unused = 64 - 8 * (unsigned)size;
    return (int64_t)(tm_cfi_fixed(bytes, size) << unused) >> unused;
}

static inline uint64_t tm_cfi_unsigned(struct tm_cfi_bytes *bytes)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint64_t byte = tm_cfi_fixed(bytes, 1);
        value |= shift < 64 ? (byte & 0x7F) << shift : 0;
        if (byte < 0x80) {
            return value;
        }
    }
}

static inline int64_t tm_cfi_signed(struct tm_cfi_bytes *bytes)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint64_t byte;
    do {
        byte = tm_cfi_fixed(bytes, 1);
        value |= shift < 64 ? (byte & 0x7F) << shift : 0;
        shift += 7;
    } while (byte >= 0x80);
    if ((byte & 0x40) != 0 && shift < 64) {
        value |= UINT64_MAX << shift;
    }
    return (int64_t)value;
}

/* SIZE bytes to be read elsewhere; NULL at the end. */
static inline const uint8_t *tm_cfi_block(struct tm_cfi_bytes *bytes, uint64_t size)
{
    const uint8_t *block = bytes->at;
    if (size > tm_cfi_left(bytes)) {
        bytes->failed = true;
        bytes->at = bytes->end;
        return NULL;
    }
    bytes->at += size;
    return block;
}

#endif
