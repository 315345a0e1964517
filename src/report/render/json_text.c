/* SPDX-License-Identifier: MIT */
#include "report/render/json_text.h"

#include <string.h>

#include "base/utf8.h"

static void write_point(struct tm_out *out, uint32_t point, const uint8_t *bytes, size_t length)
{
    if (point == '"' || point == '\\') {
        tm_out_format(out, "\\%c", (int)point);
    } else if (point == '\n') {
        tm_out_text(out, "\\n");
    } else if (point < 0x20 || point == 0x7F || (point >= TM_UTF8_ESCAPE && point <= TM_UTF8_ESCAPE + 0xFF)) {
        tm_out_format(out, "\\u%04x", (unsigned)point);
    } else {
        tm_out_bytes(out, bytes, length);
    }
}

void tm_json_text(struct tm_out *out, struct tm_span text)
{
    const uint8_t *at = text.bytes, *end = text.bytes + text.length;
    tm_out_text(out, "\"");
    while (at < end) {
        const uint8_t *start = at;
        uint32_t point = tm_utf8_next(&at, end);
        write_point(out, point, start, (size_t)(at - start));
    }
    tm_out_text(out, "\"");
}

void tm_json_string(struct tm_out *out, const char *text)
{
    tm_json_text(out, (struct tm_span){(const uint8_t *)text, strlen(text)});
}
