/* SPDX-License-Identifier: MIT */
/* The bytes of a store that its process may be writing: what refers to something is measured before what it refers to,
 * so that all references of the copy hold.
 *
 * Memory   malloc'ed, free() gives it back.     Errors   a status and *FAULT. */
#ifndef TM_REPORT_SNAPSHOT_STORE_BYTES_H
#define TM_REPORT_SNAPSHOT_STORE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/status.h"

/* The regular file that DESCRIPTOR is open on; any file, also one that is no store, is read as it is. */
TM_CHECKED enum tm_status tm_store_bytes_read(int descriptor, uint8_t **bytes, size_t *size, struct tm_fault *fault);

#endif
