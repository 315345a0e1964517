/* SPDX-License-Identifier: MIT */
/* A loaded snapshot from words, in one call; a test that cannot have it ends. */
#ifndef TM_TESTS_BUILT_SNAPSHOT_H
#define TM_TESTS_BUILT_SNAPSHOT_H

#include <stdio.h>
#include <stdlib.h>

#include "report/snapshot/snapshot_load.h"
#include "support/snapshot_builder.h"

static inline struct tm_snapshot *tm_built_snapshot(const char *text)
{
    size_t size;
    struct tm_fault fault;
    struct tm_snapshot *snapshot;
    uint8_t *bytes = tm_build(text, TM_CODEC_ZSTD, &size);
    if (tm_snapshot_load(bytes, size, &snapshot, &fault) != TM_STATUS_OK) {
        (void)fprintf(stderr, "built_snapshot: %s\n", fault.what);
        abort();
    }
    free(bytes);
    return snapshot;
}

#endif
