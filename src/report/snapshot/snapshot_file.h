/* SPDX-License-Identifier: MIT */
/* A file by its name to a model: a snapshot, or a live store as if its process had written one.
 *
 * Memory   the model's.     Errors   a status and *FAULT; *SNAPSHOT is NULL then. */
#ifndef TM_REPORT_SNAPSHOT_SNAPSHOT_FILE_H
#define TM_REPORT_SNAPSHOT_SNAPSHOT_FILE_H

#include "base/compiler.h"
#include "base/status.h"
#include "report/snapshot/snapshot.h"

/* PATH "-" is standard input. */
TM_CHECKED enum tm_status tm_snapshot_open(const char *path, struct tm_snapshot **snapshot, struct tm_fault *fault);

#endif
