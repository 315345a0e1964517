/* SPDX-License-Identifier: MIT */
/* A copy of a live store's file to the bytes of a snapshot, as if the process had written one: for stores that a kill
 * left behind, and for looking into a running process.
 *
 * Everything in the copy is checked before it is followed.   Memory  *SNAPSHOT is malloc'ed, the caller frees it.
 * Errors   a status and *FAULT; *SNAPSHOT is NULL then. */
#ifndef TM_REPORT_SNAPSHOT_STORE_COPY_H
#define TM_REPORT_SNAPSHOT_STORE_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/status.h"

/* The first bytes say that this is a store. */
bool tm_store_copy_is_one(const void *bytes, size_t size);

TM_CHECKED enum tm_status tm_store_copy_encode(const void *bytes, size_t size, uint8_t **snapshot,
                                               size_t *snapshot_size, struct tm_fault *fault);

#endif
