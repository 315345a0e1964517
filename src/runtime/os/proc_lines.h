/* SPDX-License-Identifier: MIT */
/* The lines of a text file of /proc, one after the other.  Signal safe; errno kept; no memory beyond the stack. */
#ifndef TM_RUNTIME_OS_PROC_LINES_H
#define TM_RUNTIME_OS_PROC_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define TM_PROC_LINE_MAX 8192U /* bytes; longer lines are cut: of a path only the start counts */

/* LENGTH bytes at LINE, without the line end. */
typedef void (*tm_proc_line)(void *context, const char *line, size_t length);

/* Gives the lines of the file PATH to VISIT.  False: the kernel does not tell, or not to the end. */
bool tm_proc_lines_read(const char *path, tm_proc_line visit, void *context);

#endif
