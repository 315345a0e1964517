/* SPDX-License-Identifier: MIT */
/* A whole file in private memory.  It is read, not mapped: a file that is cut short while it is read must not kill the
 * reader.
 *
 * Memory   malloc'ed, free() gives it back; it grows with what is really there, whatever the file claims.
 * Errors   a status; *FAULT says where reading ended and why. */
#ifndef TM_REPORT_SNAPSHOT_FILE_BYTES_H
#define TM_REPORT_SNAPSHOT_FILE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/status.h"

/* PATH "-" is standard input.  No snapshot has more than 4 GiB. */
TM_CHECKED enum tm_status tm_file_read(const char *path, uint8_t **bytes, size_t *size, struct tm_fault *fault);

/* The regular file that DESCRIPTOR is open on, from its start; the descriptor's position is left alone. */
TM_CHECKED enum tm_status tm_file_read_open(int descriptor, uint8_t **bytes, size_t *size, struct tm_fault *fault);

#endif
