/* SPDX-License-Identifier: MIT */
#include "report/render/location_text.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define PATH_MIN 20U
#define CUT      "..."

static bool is_printable(uint32_t point)
{
    bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
    bool escape = point >= TM_UTF8_ESCAPE && point <= TM_UTF8_ESCAPE + 0xFF;
    /* Marks that turn the direction of writing round, and so can make one name look like another. */
    bool direction = (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
    return !control && !escape && !direction;
}

/* Columns of the character at *AT, taking every one as one wide; *AT goes behind it. */
static size_t next_width(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *start = *at;
    return is_printable(tm_utf8_next(at, end)) ? 1 : 4 * (size_t)(*at - start);
}

static size_t width_of(struct tm_span text)
{
    const uint8_t *at = text.bytes, *end = text.bytes + text.length;
    size_t width = 0;
    while (at < end) {
        width += next_width(&at, end);
    }
    return width;
}

void tm_print_text(struct tm_out *out, struct tm_span text)
{
    const uint8_t *at = text.bytes, *end = text.bytes + text.length;
    while (at < end) {
        const uint8_t *start = at;
        if (is_printable(tm_utf8_next(&at, end))) {
            tm_out_bytes(out, start, (size_t)(at - start));
        } else {
            for (; start < at; start++) {
                tm_out_format(out, "\\x%02x", (unsigned)*start);
            }
        }
    }
}

struct tm_span tm_cut_text(struct tm_span text, size_t width)
{
    const uint8_t *at = text.bytes, *end = text.bytes + text.length;
    struct tm_span cut = {text.bytes, 0};
    size_t taken = 0;
    while (at < end) {
        taken += next_width(&at, end);
        if (taken > width) {
            break;
        }
        cut.length = (size_t)(at - text.bytes);
    }
    return cut;
}

/* What is left of PATH when it may take WIDTH columns: from a slash on, if one is near. */
static struct tm_span right_end(struct tm_span path, size_t width)
{
    const uint8_t *at = path.bytes, *end = path.bytes + path.length;
    for (size_t left = width_of(path); left > width;) {
        left -= next_width(&at, end);
    }
    struct tm_span tail = {at, (size_t)(end - at)};
    const uint8_t *slash = memchr(tail.bytes, '/', tail.length);
    if (slash != NULL && (size_t)(slash - tail.bytes) < tail.length / 2) {
        tail.length -= (size_t)(slash - tail.bytes);
        tail.bytes = slash;
    }
    return tail;
}

/* With the slash before them, unless nothing is left out. */
static struct tm_span last_parts(struct tm_span path, unsigned parts)
{
    size_t at = path.length;
    for (unsigned found = 0; found < parts && at > 0;) {
        at--;
        found += path.bytes[at] == '/';
    }
    return parts > 0 && at > 0 ? (struct tm_span){path.bytes + at, path.length - at} : path;
}

void tm_print_location(struct tm_out *out, const struct tm_key_frame *frame, bool with_line, size_t width,
                       unsigned parts)
{
    char line[16] = "";
    if ((with_line && !frame->is_native) || frame->line > 0) {
        (void)snprintf(line, sizeof line, ":%u", (unsigned)frame->line);
    }
    size_t behind = strlen(line) + (frame->function.length > 0 ? 2 + width_of(frame->function) : 0);
    size_t for_path = width > behind + PATH_MIN ? width - behind : PATH_MIN;
    struct tm_span path = last_parts(frame->filename, parts);
    bool is_cut = path.length < frame->filename.length;
    if (width != SIZE_MAX && width_of(path) > for_path) {
        path = right_end(path, for_path - strlen(CUT));
        is_cut = true;
    }
    tm_out_text(out, is_cut ? CUT : "");
    tm_print_text(out, path);
    tm_out_text(out, line);
    if (frame->function.length > 0) {
        tm_out_text(out, "  ");
        tm_print_text(out, frame->function);
    }
}
