/* SPDX-License-Identifier: MIT */
/* A copy of a live store's file: checked, and turned into the bytes of a snapshot as if the process had written one.
 * For stores that a kill left behind, and for looking into a running process.
 *
 * Everything in the copy is checked before it is followed.   Memory  malloc'ed; BYTES must outlive the copy.
 * Errors   a status and *FAULT; what is asked for is NULL then. */
#ifndef TM_REPORT_SNAPSHOT_STORE_COPY_H
#define TM_REPORT_SNAPSHOT_STORE_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/status.h"
#include "store/snapshot_encode.h"

struct tm_store_copy;

/* The first bytes say that this is a store. */
bool tm_store_copy_is_one(const void *bytes, size_t size);

TM_CHECKED enum tm_status tm_store_copy_open(const void *bytes, size_t size, struct tm_store_copy **copy,
                                             struct tm_fault *fault);

/* COPY may be NULL. */
void tm_store_copy_close(struct tm_store_copy *copy);

const struct tm_store_header *tm_store_copy_header(const struct tm_store_copy *copy);

/* What was ever counted in all records: bytes handed out and bytes that came back.  What this moves by between two
 * copies is the most by which the records of the second can differ from totals that were read between them. */
uint64_t tm_store_copy_traffic(const struct tm_store_copy *copy);

/* The bytes of a snapshot with FACTS of the moment (see tm_snapshot_encode).  *SNAPSHOT is the caller's to free. */
TM_CHECKED enum tm_status tm_store_copy_snapshot(const struct tm_store_copy *copy, const struct tm_encode_fact *facts,
                                                 unsigned fact_count, uint8_t **snapshot, size_t *size,
                                                 struct tm_fault *fault);

/* All in one, for a file that nobody writes any more. */
TM_CHECKED enum tm_status tm_store_copy_encode(const void *bytes, size_t size, uint8_t **snapshot,
                                               size_t *snapshot_size, struct tm_fault *fault);

#endif
