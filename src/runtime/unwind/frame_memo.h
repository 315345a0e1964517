/* SPDX-License-Identifier: MIT */
/* Frames that were resolved, where nobody hears their code objects die: each with the bytes that its names and its line
 * were made of.  It is known again as long as they are what they were; what stands at the code object's address may be
 * another one by then.
 *
 * For sampled events, each of which would otherwise decode a line table from its start and look up two names.
 * Not kept is what has no line, names that are no plain str (2.7: bytes), and what is made of more than
 * TM_FRAME_MEMO_BYTES: an instruction far into a long line table.
 * Threads  the caller's lock; the frame is still running.   Signals  safe behind the guard.   errno  kept. */
#ifndef TM_RUNTIME_UNWIND_FRAME_MEMO_H
#define TM_RUNTIME_UNWIND_FRAME_MEMO_H

#include <stdint.h>

#include "base/line_cursor.h"
#include "runtime/unwind/cpython_layout.h"
#include "runtime/unwind/python_code.h"
#include "runtime/unwind/raw_frame.h"

#define TM_FRAME_MEMO_PLACES 64U /* a power of two */
#define TM_FRAME_MEMO_BYTES  1024U

/* None: where tm_frame_memo_find and tm_frame_memo_keep answer no place. */
#define TM_FRAME_MEMO_NONE TM_FRAME_MEMO_PLACES

/* A cursor that stands nowhere: decoding begins at the start of the table, and the cursor tells whether it came
 * anywhere. */
#define TM_LINE_NOWHERE UINT32_MAX

/* All zero: empty. */
struct tm_frame_memo {
    struct tm_memo_frame {
        uintptr_t place;
        uintptr_t code; /* 0: nothing is kept */
        int32_t offset;
        int32_t first_line;
        uint32_t table_size;
        uint32_t filename_size, function_size, lines_size; /* bytes of MADE_OF, in this order */
        uint32_t filename_form, function_form;
        unsigned char made_of[TM_FRAME_MEMO_BYTES];
    } places[TM_FRAME_MEMO_PLACES];
};

/* The place of FRAME, for words of the caller's beside the memo. */
unsigned tm_frame_memo_find(const struct tm_frame_memo *memo, const struct tm_cpython_layout *layout,
                            const struct tm_raw_frame *frame);

/* FRAME has these NAMES; the line was decoded to CURSOR, which began at the start of the table or TM_LINE_NOWHERE.  The
 * place which is its own from now on. */
unsigned tm_frame_memo_keep(struct tm_frame_memo *memo, const struct tm_cpython_layout *layout,
                            const struct tm_raw_frame *frame, const struct tm_frame_names *names,
                            const struct tm_line_cursor *cursor);

#endif
