/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/line_memo.h"

#include <string.h>

#include "base/hash.h"

/* A step to the next entry looks at its first byte, and the last of a broken table at some more. */
#define LOOKED_AT 8U

/* Bytes that decide where the decoder comes to AT. */
static size_t bytes_of(uint32_t at, size_t size)
{
    return size - at < LOOKED_AT ? size : at + LOOKED_AT;
}

static unsigned index_of(const unsigned char *table, int32_t offset)
{
    return (unsigned)(tm_hash_join((uintptr_t)table, (uint32_t)offset) >> 32) % TM_LINE_MEMO_PLACES;
}

struct tm_line_cursor tm_line_memo_find(const struct tm_line_memo *memo, const unsigned char *table, size_t size,
                                        int32_t offset)
{
    const struct tm_line_place *place = &memo->places[index_of(table, offset)];
    if (place->table == (uintptr_t)table && place->size == size && place->offset == offset &&
        memcmp(place->made_of, table, bytes_of(place->cursor.at, size)) == 0) {
        return place->cursor;
    }
    return (struct tm_line_cursor){0, 0, 0};
}

void tm_line_memo_keep(struct tm_line_memo *memo, const unsigned char *table, size_t size, int32_t offset,
                       const struct tm_line_cursor *cursor)
{
    struct tm_line_place *place = &memo->places[index_of(table, offset)];
    if (cursor->at == 0 || cursor->at > size || bytes_of(cursor->at, size) > sizeof place->made_of) {
        return;
    }
    place->table = (uintptr_t)table;
    place->size = size;
    place->offset = offset;
    place->cursor = *cursor;
    memcpy(place->made_of, table, bytes_of(cursor->at, size));
}
