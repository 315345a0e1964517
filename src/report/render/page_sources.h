/* SPDX-License-Identifier: MIT */
/* The source files that the frames of a page's snapshots name, as members of a JSON object.  Files of over 1 MiB are
 * left out, and all once 24 MiB are in.     Errors, memory and threads: those of page_data.h. */
#ifndef TM_REPORT_RENDER_PAGE_SOURCES_H
#define TM_REPORT_RENDER_PAGE_SOURCES_H

#include "report/render/page_data.h"

TM_CHECKED bool tm_page_sources(struct tm_out *out, const struct tm_page *page);

#endif
