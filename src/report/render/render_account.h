/* SPDX-License-Identifier: MIT */
/* What the process's resident memory consists of: a table, or the member "rss" of a JSON object.  Nothing when the
 * snapshot does not tell. */
#ifndef TM_REPORT_RENDER_RENDER_ACCOUNT_H
#define TM_REPORT_RENDER_RENDER_ACCOUNT_H

#include "report/render/out.h"
#include "report/snapshot/snapshot.h"

void tm_render_account_text(struct tm_out *out, const struct tm_snapshot *snapshot);

/* Begins with a comma. */
void tm_render_account_json(struct tm_out *out, const struct tm_snapshot *snapshot);

#endif
