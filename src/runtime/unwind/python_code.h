/* SPDX-License-Identifier: MIT */
/* From a frame that was read to file, function and line: once per code object and instruction.
 *
 * Threads  the thread that read the frame, while the frame still runs.
 * Errors   false, when what is found is not a code object after all. */
#ifndef TM_RUNTIME_UNWIND_PYTHON_CODE_H
#define TM_RUNTIME_UNWIND_PYTHON_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/line_cursor.h"
#include "runtime/unwind/cpython_layout.h"
#include "runtime/unwind/raw_frame.h"

/* What one frame says in Python's words.  The pointers are CPython objects, alive as long as the frame runs. */
struct tm_frame_names {
    uintptr_t code;     /* the code object */
    uintptr_t filename; /* str (2.7: bytes) object */
    uintptr_t function; /* qualified name where the release has one in the code object (3.11+), else the name */
    uint32_t line;      /* 1 or more; 0 where CPython says None */
};

/* Resolves a frame that is still running.  False when what is found there is not a code object after all. */
bool tm_python_frame_names(const struct tm_cpython_layout *layout, const struct tm_raw_frame *frame,
                           struct tm_frame_names *names);

/* The address of the frame's code object; 0 when what is found there is none. */
uintptr_t tm_python_frame_code(const struct tm_cpython_layout *layout, const struct tm_raw_frame *frame);

/* The same as tm_python_frame_names, which decodes the line table from CURSOR on: see line_table.h. */
bool tm_python_frame_names_from(const struct tm_cpython_layout *layout, const struct tm_raw_frame *frame,
                                struct tm_line_cursor *cursor, struct tm_frame_names *names);

#endif
