/* SPDX-License-Identifier: MIT */
#include "report/render/out.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static void fail(struct tm_out *out)
{
    out->error = errno != 0 ? errno : EIO;
}

void tm_out_bytes(struct tm_out *out, const void *bytes, size_t length)
{
    if (out->error == 0 && length > 0 && fwrite(bytes, 1, length, out->stream) != length) {
        fail(out);
    }
}

void tm_out_text(struct tm_out *out, const char *text)
{
    tm_out_bytes(out, text, strlen(text));
}

void tm_out_format(struct tm_out *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (out->error == 0 && vfprintf(out->stream, format, arguments) < 0) {
        fail(out);
    }
    va_end(arguments);
}

void tm_out_span(struct tm_out *out, struct tm_span span)
{
    tm_out_bytes(out, span.bytes, span.length);
}

void tm_out_repeat(struct tm_out *out, char c, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tm_out_bytes(out, &c, 1);
    }
}

int tm_out_flush(struct tm_out *out)
{
    if (out->error == 0 && fflush(out->stream) != 0) {
        fail(out);
    }
    return out->error;
}
