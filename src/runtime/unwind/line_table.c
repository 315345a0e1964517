/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/line_table.h"

static uint32_t line_or_none(int64_t line)
{
    return line > 0 && line <= INT32_MAX ? (uint32_t)line : 0;
}

static uint32_t find_in_steps(const unsigned char *table, size_t size, int32_t first_line, int32_t offset,
                              int is_signed)
{
    int64_t address = 0;
    int64_t line = first_line;
    size_t at;
    for (at = 0; at + 1 < size; at += 2) {
        address += table[at];
        if (address > offset) {
            break;
        }
        line += is_signed ? (int64_t)(signed char)table[at + 1] : (int64_t)table[at + 1];
    }
    return line_or_none(line);
}

static uint32_t find_in_ranges(const unsigned char *table, size_t size, int32_t first_line, int32_t offset)
{
    enum { NO_LINE = -128 };
    int64_t end = 0;
    int64_t line = first_line;
    size_t at;
    for (at = 0; at + 1 < size; at += 2) {
        const int step = (signed char)table[at + 1];
        end += table[at];
        if (step != NO_LINE) {
            line += step;
        }
        if (end > offset) {
            return step == NO_LINE ? 0 : line_or_none(line);
        }
    }
    return 0;
}

/* Six bits per byte, lowest first; bit 6 says that another follows; the lowest bit of the whole is the sign. */
static int64_t signed_varint(const unsigned char *table, size_t size, size_t at)
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

/* Forms of a location entry; those below ONE_LINE_0 stay on the line. */
enum { ONE_LINE_0 = 10, ONE_LINE_2 = 12, NO_COLUMNS = 13, LONG = 14, NO_LOCATION = 15 };

static int64_t location_step(unsigned form, const unsigned char *table, size_t size, size_t at)
{
    if (form == NO_COLUMNS || form == LONG) {
        return signed_varint(table, size, at + 1);
    }
    return form >= ONE_LINE_0 && form <= ONE_LINE_2 ? (int64_t)form - ONE_LINE_0 : 0;
}

static uint32_t find_in_locations(const unsigned char *table, size_t size, int32_t first_line, int32_t offset)
{
    int64_t end = 0;
    int64_t line = first_line;
    size_t at = 0;
    while (at < size) {
        const unsigned form = (table[at] >> 3) & 15U;
        line += location_step(form, table, size, at);
        end += ((int64_t)(table[at] & 7U) + 1) * 2;
        if (end > offset) {
            return form == NO_LOCATION ? 0 : line_or_none(line);
        }
        do {
            at++;
        } while (at < size && (table[at] & 0x80U) == 0);
    }
    return 0;
}

uint32_t tm_line_table_find(enum tm_line_encoding encoding, const unsigned char *table, size_t size, int32_t first_line,
                            int32_t offset)
{
    if (offset < 0) {
        return line_or_none(first_line);
    }
    switch (encoding) {
    case TM_LINES_UNSIGNED:
        return find_in_steps(table, size, first_line, offset, 0);
    case TM_LINES_SIGNED:
        return find_in_steps(table, size, first_line, offset, 1);
    case TM_LINES_RANGES:
        return find_in_ranges(table, size, first_line, offset);
    case TM_LINES_LOCATIONS:
        return find_in_locations(table, size, first_line, offset);
    }
    return 0;
}
