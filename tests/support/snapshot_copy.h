/* SPDX-License-Identifier: MIT */
/* A loaded snapshot as a file again, for tests: what loads must load the same once more.
 *
 * Memory   malloc'ed; running out of it ends the program. */
#ifndef TM_TESTS_SNAPSHOT_COPY_H
#define TM_TESTS_SNAPSHOT_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/snapshot/snapshot.h"

/* Uncompressed; malloc'ed. */
uint8_t *tm_snapshot_copy(const struct tm_snapshot *snapshot, size_t *size);

/* Have both the same items? */
bool tm_snapshot_is_same(const struct tm_snapshot *a, const struct tm_snapshot *b);

#endif
