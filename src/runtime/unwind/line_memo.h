/* SPDX-License-Identifier: MIT */
/* How far line tables were decoded, where nobody hears them die: a cursor for an instruction counts only while the
 * bytes that it was made of are what they were; they are kept and compared.  What stands at the table's address may
 * thus be another one: the answer is right or there is none.
 *
 * For sampled events, each of which would decode its line table from the start.  Tables are decoded from the start as
 * before where an instruction lies more than TM_LINE_MEMO_BYTES into one.
 * Threads  the caller's lock.   Signals  safe behind the guard.   errno  kept.   Errors  none. */
#ifndef TM_RUNTIME_UNWIND_LINE_MEMO_H
#define TM_RUNTIME_UNWIND_LINE_MEMO_H

#include <stddef.h>
#include <stdint.h>

#include "base/line_cursor.h"

#define TM_LINE_MEMO_PLACES 64U /* a power of two */
#define TM_LINE_MEMO_BYTES  992U

/* All zero: empty. */
struct tm_line_memo {
    struct tm_line_place {
        uintptr_t table;
        size_t size;
        int32_t offset;
        struct tm_line_cursor cursor; /* at 0: nothing is kept */
        unsigned char made_of[TM_LINE_MEMO_BYTES];
    } places[TM_LINE_MEMO_PLACES];
};

/* The cursor for the instruction at OFFSET (bytes) of the line table of SIZE bytes at TABLE; its start when none is
 * known. */
struct tm_line_cursor tm_line_memo_find(const struct tm_line_memo *memo, const unsigned char *table, size_t size,
                                        int32_t offset);

/* CURSOR is where the line of OFFSET was found. */
void tm_line_memo_keep(struct tm_line_memo *memo, const unsigned char *table, size_t size, int32_t offset,
                       const struct tm_line_cursor *cursor);

#endif
