/* SPDX-License-Identifier: MIT */
#include "report/render/export_text.h"

#include <string.h>

#include "base/utf8.h"

void tm_export_text(struct tm_out *out, struct tm_span text, const char *instead_of, char replacement)
{
    const uint8_t *at = text.bytes, *end = text.bytes + text.length;
    while (at < end) {
        const uint8_t *start = at;
        uint32_t point = tm_utf8_next(&at, end);
        if (point < 0x20 || point == 0x7F || (point >= TM_UTF8_ESCAPE && point <= TM_UTF8_ESCAPE + 0xFF)) {
            tm_out_format(out, "\\x%02x", (unsigned)(point & 0xFF));
        } else if (point < 0x80 && strchr(instead_of, (int)point) != NULL) {
            tm_out_bytes(out, &replacement, 1);
        } else {
            tm_out_bytes(out, start, (size_t)(at - start));
        }
    }
}
