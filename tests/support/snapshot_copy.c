/* SPDX-License-Identifier: MIT */
#include "support/snapshot_copy.h"

#include <stdlib.h>
#include <string.h>

#include "report/snapshot/snapshot_write.h"

uint8_t *tm_snapshot_copy(const struct tm_snapshot *snapshot, size_t *size)
{
    uint8_t *bytes;
    if (tm_snapshot_write(snapshot, TM_CODEC_STORED, &bytes, size) != TM_STATUS_OK) {
        abort();
    }
    return bytes;
}

bool tm_snapshot_is_same(const struct tm_snapshot *a, const struct tm_snapshot *b)
{
    size_t a_size, b_size;
    uint8_t *a_bytes = tm_snapshot_copy(a, &a_size), *b_bytes = tm_snapshot_copy(b, &b_size);
    bool same = a_size == b_size && memcmp(a_bytes, b_bytes, a_size) == 0;
    free(a_bytes);
    free(b_bytes);
    return same;
}
