/* SPDX-License-Identifier: MIT */
/* A model to the bytes of a snapshot file. */
#ifndef TM_REPORT_SNAPSHOT_SNAPSHOT_WRITE_H
#define TM_REPORT_SNAPSHOT_SNAPSHOT_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/status.h"
#include "report/snapshot/snapshot.h"

/* CODEC: how the sections are stored, enum tm_codec.  *BYTES is malloc'ed and the caller's; NULL on errors:
 * TM_STATUS_NO_MEMORY.  A section that compression does not make smaller is stored.  A key of META with a zero byte
 * inside, which no other writer makes, is left out.  Threads: any. */
TM_CHECKED enum tm_status tm_snapshot_write(const struct tm_snapshot *snapshot, uint32_t codec, uint8_t **bytes,
                                            size_t *size);

#endif
