/* SPDX-License-Identifier: MIT */
/* Bytes to a gzip stream (RFC 1952) of one member, without name and time: equal bytes make equal files.
 * False without memory; errors of writing are those of OUT. */
#ifndef TM_REPORT_RENDER_GZIP_OUT_H
#define TM_REPORT_RENDER_GZIP_OUT_H

#include <stdbool.h>

#include "base/compiler.h"
#include "report/render/out.h"

TM_CHECKED bool tm_gzip_out(struct tm_out *out, const void *bytes, size_t size);

#endif
