/* SPDX-License-Identifier: MIT */
/* The facts of a snapshot as one JSON object: pid, python, traceback_limit, time, traced, heap, domains, and every
 * other fact of the file under its own key.  What the file does not say is null. */
#ifndef TM_REPORT_RENDER_JSON_SNAPSHOT_H
#define TM_REPORT_RENDER_JSON_SNAPSHOT_H

#include "report/render/out.h"
#include "report/snapshot/snapshot.h"

void tm_json_snapshot(struct tm_out *out, const struct tm_snapshot *snapshot, const char *path);

#endif
