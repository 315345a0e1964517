/* SPDX-License-Identifier: MIT */
/* Any bytes as a JSON string.  What is no UTF-8 becomes the lone surrogates of PEP 383, so that Python's json module
 * gives back the very str that Python uses for such a file name. */
#ifndef TM_REPORT_RENDER_JSON_TEXT_H
#define TM_REPORT_RENDER_JSON_TEXT_H

#include "report/render/out.h"

/* With its quotation marks. */
void tm_json_text(struct tm_out *out, struct tm_span text);
void tm_json_string(struct tm_out *out, const char *text);

#endif
