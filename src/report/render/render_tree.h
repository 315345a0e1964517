/* SPDX-License-Identifier: MIT */
/* The calls as a tree, for people: a call and what it called, the largest first.  Chains of calls without a branch are
 * one row; what is small or beyond the limit is summed up in one, unless the report shows all.
 *
 * Memory   malloc'ed and freed.     Errors  those of OUT; false without memory.     Threads  one. */
#ifndef TM_REPORT_RENDER_RENDER_TREE_H
#define TM_REPORT_RENDER_RENDER_TREE_H

#include <stdbool.h>

#include "base/compiler.h"
#include "report/render/out.h"
#include "report/render/report.h"

TM_CHECKED bool tm_render_tree(struct tm_out *out, const struct tm_report *report);

#endif
