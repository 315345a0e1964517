/* SPDX-License-Identifier: MIT */
/* Single blocks: a row for each, or one with its whole traceback.
 *
 * The report is of one snapshot, which has blocks; its rows are not looked at.
 * Errors   those of OUT; false without memory. */
#ifndef TM_REPORT_RENDER_RENDER_BLOCKS_H
#define TM_REPORT_RENDER_RENDER_BLOCKS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "report/render/out.h"
#include "report/render/report.h"
#include "report/stat/block_rows.h"

/* A table of the first rows, as many as the report's limit. */
TM_CHECKED bool tm_render_blocks(struct tm_out *out, const struct tm_report *report, const struct tm_block_rows *rows);

/* BLOCK, and where ADDRESS lies in it. */
TM_CHECKED bool tm_render_block(struct tm_out *out, const struct tm_report *report, const struct tm_block_record *block,
                                uint64_t address);

/* {"snapshot": {...}, "counted": [DOMAIN...], "skew": N, "left_out": N, "total": {"size": N, "count": N},
 *  "blocks": [{"address": "0x...", "size": N, "domain": "obj", "traceback": [{FRAME}, ...]}, ...]}
 * frames oldest first.  Total is of all ROWS, blocks are the first ones. */
TM_CHECKED bool tm_render_blocks_json(struct tm_out *out, const struct tm_report *report,
                                      const struct tm_block_rows *rows);

#endif
