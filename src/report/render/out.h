/* SPDX-License-Identifier: MIT */
/* Where reports go: a stream with a sticky error.
 *
 * Errors   the first one is kept, as an errno value, in `error`; nothing is written after it; look once, at the end.
 * Threads  one. */
#ifndef TM_REPORT_RENDER_OUT_H
#define TM_REPORT_RENDER_OUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"
#include "report/snapshot/snapshot.h"

struct tm_out {
    FILE *stream; /* the caller's */
    int error;    /* 0: none so far */
};

void tm_out_bytes(struct tm_out *out, const void *bytes, size_t length);
void tm_out_text(struct tm_out *out, const char *text);
TM_PRINTF(2, 3) void tm_out_format(struct tm_out *out, const char *format, ...);
void tm_out_span(struct tm_out *out, struct tm_span span);

/* COUNT times the character C. */
void tm_out_repeat(struct tm_out *out, char c, size_t count);

/* Hands over what is still buffered.  0 or the error. */
int tm_out_flush(struct tm_out *out);

#endif
