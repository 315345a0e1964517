/* SPDX-License-Identifier: MIT */
/* From the offset of an instruction to its line: the encodings that CPython has had.
 *
 *   TM_LINES_UNSIGNED   pairs (bytes of code, lines), both unsigned; a pair holds from its bytes on
 *   TM_LINES_SIGNED     the same with a signed second byte
 *   TM_LINES_RANGES     pairs (bytes of code, signed lines): the lines are added, then hold for the bytes; -128: no
 *                       line
 *   TM_LINES_LOCATIONS  entries whose first byte has bit 7: 4 bits of form, 3 bits of length - 1 in code units; the
 *                       form says how the line step follows
 *
 * Source   Objects/lnotab_notes.txt (2.7 to 3.10), PEP 626, PEP 657 and InternalDocs/code_objects.md (3.11+).
 * Pure; nothing outside TABLE is read, whatever it holds. */
#ifndef TM_RUNTIME_UNWIND_LINE_TABLE_H
#define TM_RUNTIME_UNWIND_LINE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/line_cursor.h"
#include "runtime/unwind/cpython_layout.h"

/* Line of the instruction at OFFSET bytes (negative: before the first, the answer is FIRST_LINE) of a code object
 * that begins at FIRST_LINE.  0 where there is none. */
uint32_t tm_line_table_find(enum tm_line_encoding encoding, const unsigned char *table, size_t size, int32_t first_line,
                            int32_t offset);

/* The same; begins at CURSOR, which an earlier call with the same table left, unless OFFSET lies before it.  Leaves
 * CURSOR at the entry that answered. */
uint32_t tm_line_table_continue(enum tm_line_encoding encoding, const unsigned char *table, size_t size,
                                int32_t first_line, int32_t offset, struct tm_line_cursor *cursor);

#endif
