/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/line_table.h"

#include <string.h>

#include "base/compiler.h"

static uint32_t line_or_none(int64_t line)
{
    return line > 0 && line <= INT32_MAX ? (uint32_t)line : 0;
}

/* The decoder's state before an entry. */
struct position {
    size_t at;
    int64_t offset;
    int64_t line;
};

static struct position begin_at(const struct tm_line_cursor *cursor, size_t size, int32_t first_line, int32_t offset)
{
    if (cursor->at < size && cursor->offset <= (uint32_t)offset) {
        return (struct position){cursor->at, cursor->offset, (int64_t)first_line + cursor->lines};
    }
    return (struct position){0, 0, first_line};
}

/* What does not fit (tables of gigabytes, lines beyond all files) is decoded from the start each time. */
static void leave_at(struct tm_line_cursor *cursor, const struct position *position, int32_t first_line)
{
    int64_t lines = position->line - first_line;
    if (position->at <= UINT32_MAX && position->offset <= INT32_MAX && lines >= INT32_MIN && lines <= INT32_MAX) {
        *cursor = (struct tm_line_cursor){(uint32_t)position->at, (uint32_t)position->offset, (int32_t)lines};
    }
}

static uint32_t find_in_steps(const unsigned char *table, size_t size, int32_t first_line, int32_t offset,
                              struct tm_line_cursor *cursor, int is_signed)
{
    struct position now = begin_at(cursor, size, first_line, offset);
    for (; now.at + 1 < size && now.offset + table[now.at] <= offset; now.at += 2) {
        now.offset += table[now.at];
        now.line += is_signed ? (int64_t)(signed char)table[now.at + 1] : (int64_t)table[now.at + 1];
    }
    leave_at(cursor, &now, first_line);
    return line_or_none(now.line);
}

static uint32_t find_in_ranges(const unsigned char *table, size_t size, int32_t first_line, int32_t offset,
                               struct tm_line_cursor *cursor)
{
    enum { NO_LINE = -128 };
    struct position now = begin_at(cursor, size, first_line, offset);
    for (; now.at + 1 < size; now.at += 2) {
        const int step = (signed char)table[now.at + 1];
        const int64_t line = now.line + (step == NO_LINE ? 0 : step);
        if (now.offset + table[now.at] > offset) {
            leave_at(cursor, &now, first_line);
            return step == NO_LINE ? 0 : line_or_none(line);
        }
        now.offset += table[now.at];
        now.line = line;
    }
    return 0;
}

/* Six bits per byte, lowest first; bit 6 says that another follows; the lowest bit of the whole is the sign. */
static int64_t long_varint(const unsigned char *table, size_t size, size_t at)
{
    uint64_t value = 0;
    unsigned shift;
    for (shift = 0; at < size && shift < 36; shift += 6) {
        const unsigned char byte = table[at++];
        value |= (uint64_t)(byte & 63U) << shift;
        if ((byte & 64U) == 0) {
            break;
        }
    }
    return (value & 1) ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

TM_INLINE int64_t signed_varint(const unsigned char *table, size_t size, size_t at)
{
    if (TM_LIKELY(at < size) && TM_LIKELY((table[at] & 64U) == 0)) {
        const int64_t small = (table[at] & 63U) >> 1;
        return (table[at] & 1U) != 0 ? -small : small;
    }
    return long_varint(table, size, at);
}

/* Forms of a location entry; those below ONE_LINE_0 stay on the line. */
enum { ONE_LINE_0 = 10, ONE_LINE_2 = 12, NO_COLUMNS = 13, LONG = 14, NO_LOCATION = 15 };

TM_INLINE int64_t location_step(unsigned form, const unsigned char *table, size_t size, size_t at)
{
    static const int8_t steps[16] = {[ONE_LINE_0 + 1] = 1, [ONE_LINE_2] = 2};
    return form == NO_COLUMNS || form == LONG ? signed_varint(table, size, at + 1) : steps[form];
}

/* The entry after the one at AT: the first byte with the highest bit, or SIZE. */
TM_INLINE size_t next_location(const unsigned char *table, size_t size, size_t at)
{
    at++;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t bytes;
    if (TM_LIKELY(size >= at + sizeof bytes)) {
        memcpy(&bytes, table + at, sizeof bytes);
        bytes &= UINT64_C(0x8080808080808080);
        if (TM_LIKELY(bytes != 0)) {
            return at + (size_t)__builtin_ctzll(bytes) / 8;
        }
    }
#endif
    while (at < size && (table[at] & 0x80U) == 0) {
        at++;
    }
    return at;
}

/* Passes entries that end at OFFSET or before, as long as the whole of each and the start of the next one are within
 * eight bytes: nearly all are. */
TM_INLINE void pass_short_locations(const unsigned char *table, size_t size, int32_t offset, struct position *position)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    struct position now = *position;
    uint64_t bytes;
    while (now.at + sizeof bytes <= size) {
        memcpy(&bytes, table + now.at, sizeof bytes);
        const int64_t end = now.offset + ((int64_t)(bytes & 7U) + 1) * 2;
        const uint64_t starts = bytes & UINT64_C(0x8080808080808000);
        if (end > offset || TM_UNLIKELY(starts == 0)) {
            break;
        }
        now.line += location_step((unsigned)(bytes >> 3) & 15U, table, size, now.at);
        now.offset = end;
        now.at += (unsigned)__builtin_ctzll(starts) >> 3;
    }
    *position = now;
#else
    (void)table, (void)size, (void)offset, (void)position;
#endif
}

static uint32_t find_in_locations(const unsigned char *table, size_t size, int32_t first_line, int32_t offset,
                                  struct tm_line_cursor *cursor)
{
    struct position now = begin_at(cursor, size, first_line, offset);
    pass_short_locations(table, size, offset, &now);
    while (now.at < size) {
        const unsigned form = (table[now.at] >> 3) & 15U;
        const int64_t line = now.line + location_step(form, table, size, now.at);
        const int64_t end = now.offset + ((int64_t)(table[now.at] & 7U) + 1) * 2;
        if (end > offset) {
            leave_at(cursor, &now, first_line);
            return form == NO_LOCATION ? 0 : line_or_none(line);
        }
        now.offset = end;
        now.line = line;
        now.at = next_location(table, size, now.at);
    }
    return 0;
}

uint32_t tm_line_table_continue(enum tm_line_encoding encoding, const unsigned char *table, size_t size,
                                int32_t first_line, int32_t offset, struct tm_line_cursor *cursor)
{
    if (offset < 0) {
        return line_or_none(first_line);
    }
    switch (encoding) {
    case TM_LINES_UNSIGNED:
        return find_in_steps(table, size, first_line, offset, cursor, 0);
    case TM_LINES_SIGNED:
        return find_in_steps(table, size, first_line, offset, cursor, 1);
    case TM_LINES_RANGES:
        return find_in_ranges(table, size, first_line, offset, cursor);
    case TM_LINES_LOCATIONS:
        return find_in_locations(table, size, first_line, offset, cursor);
    }
    return 0;
}

uint32_t tm_line_table_find(enum tm_line_encoding encoding, const unsigned char *table, size_t size, int32_t first_line,
                            int32_t offset)
{
    struct tm_line_cursor cursor = {0, 0, 0};
    return tm_line_table_continue(encoding, table, size, first_line, offset, &cursor);
}
