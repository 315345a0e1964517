/* SPDX-License-Identifier: MIT */
/* Hostile bytes to a model.
 *
 * Everything is checked: magic, version, both kinds of checksums, that sections lie without gaps inside the file, that
 * unpacked sizes are as stated and justified by the file's size, every id, order and reference, and that no sum of a
 * figure over all counters leaves 62 bits.
 *
 * Memory   the model's; BYTES are not needed afterwards.
 * Errors   a status, and *FAULT with offset and words; *SNAPSHOT is NULL then. */
#ifndef TM_REPORT_SNAPSHOT_SNAPSHOT_LOAD_H
#define TM_REPORT_SNAPSHOT_SNAPSHOT_LOAD_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/status.h"
#include "report/snapshot/snapshot.h"

TM_CHECKED enum tm_status tm_snapshot_load(const void *bytes, size_t size, struct tm_snapshot **snapshot,
                                           struct tm_fault *fault);

#endif
