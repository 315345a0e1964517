/* SPDX-License-Identifier: MIT */
#include "report/render/json_text.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

static bool is_escaped(uint32_t point)
{
    return point < 0x20 || point == '"' || point == '\\' || point == 0x7F ||
           (point >= TM_UTF8_ESCAPE && point <= TM_UTF8_ESCAPE + 0xFF);
}

static void write_escape(struct tm_out *out, uint32_t point)
{
    if (point == '"' || point == '\\') {
        tm_out_format(out, "\\%c", (int)point);
    } else if (point == '\n') {
        tm_out_text(out, "\\n");
    } else {
        tm_out_format(out, "\\u%04x", (unsigned)point);
    }
}

/* Bytes from AT that need no escape and are ASCII, as far as eight of them can be told at once.  In each byte of a word
 * the highest bit gets set by what is not wanted: it is there already, 0x7F + 1, below 0x20, or equal to a
 * character. */
static const uint8_t *skip_plain(const uint8_t *at, const uint8_t *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    for (; end - at >= 8; at += 8) {
        uint64_t eight;
        memcpy(&eight, at, sizeof eight);
        uint64_t unequal_quote = (eight ^ ones * '"') - ones, unequal_slash = (eight ^ ones * '\\') - ones;
        if ((eight | (eight + ones) | (eight - ones * 0x20) | unequal_quote | unequal_slash) & ones << 7) {
            break;
        }
    }
    return at;
}

/* What needs no escape is written at once: a report of many deep tracebacks is mostly names of files. */
void tm_json_text(struct tm_out *out, struct tm_span text)
{
    const uint8_t *at = text.bytes, *end = text.bytes + text.length, *unwritten = at;
    tm_out_text(out, "\"");
    while ((at = skip_plain(at, end)) < end) {
        const uint8_t *start = at;
        uint32_t point = *at < 0x80 ? *at++ : tm_utf8_next(&at, end);
        if (is_escaped(point)) {
            tm_out_bytes(out, unwritten, (size_t)(start - unwritten));
            write_escape(out, point);
            unwritten = at;
        }
    }
    tm_out_bytes(out, unwritten, (size_t)(end - unwritten));
    tm_out_text(out, "\"");
}

void tm_json_string(struct tm_out *out, const char *text)
{
    tm_json_text(out, (struct tm_span){(const uint8_t *)text, strlen(text)});
}
