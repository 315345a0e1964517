/* SPDX-License-Identifier: MIT */
/* How far a line table was decoded: programs mostly run forward, so the next question begins where the last one ended.
 * All zero is the start of the table. */
#ifndef TM_BASE_LINE_CURSOR_H
#define TM_BASE_LINE_CURSOR_H

#include <stdint.h>

struct tm_line_cursor {
    uint32_t at;     /* bytes into the table: the entry that answered */
    uint32_t offset; /* bytes of code before that entry */
    int32_t lines;   /* from the first line of the code object to the line before that entry */
};

#endif
