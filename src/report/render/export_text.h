/* SPDX-License-Identifier: MIT */
/* Names as UTF-8 text for formats that have no other escape.     Threads  any. */
#ifndef TM_REPORT_RENDER_EXPORT_TEXT_H
#define TM_REPORT_RENDER_EXPORT_TEXT_H

#include "report/render/out.h"

/* TEXT; bytes that are no UTF-8 and control characters are `\xNN`, the ASCII characters of INSTEAD_OF as
 * REPLACEMENT. */
void tm_export_text(struct tm_out *out, struct tm_span text, const char *instead_of, char replacement);

#endif
