/* SPDX-License-Identifier: MIT */
/* Prints a row of the layout table as abi_probe.c prints what the headers say, without fields that are 0.
 * Usage: layout_print RELEASE FREE_THREADED (major * 256 + minor, 0 or 1); exit code 1: there is no such row. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/unwind/cpython_layout.h"

/* clang-format off */
#define FIELDS(X)                                                                                                      \
    X(release) X(tstate_interp) X(tstate_frame) X(tstate_cframe) X(tstate_thread_id) X(cframe_current)                 \
    X(cframe_previous) X(frame_previous) X(frame_code) X(frame_instruction) X(frame_lineno) X(frame_trace)             \
    X(frame_owner) X(frame_is_entry) X(frame_tlbc_index) X(owner_generator) X(code_size) X(code_filename)              \
    X(code_name) X(code_qualname) X(code_firstlineno) X(code_lines) X(code_firsttraceable) X(code_bytes)               \
    X(code_tlbc) X(tlbc_entries) X(object_type) X(type_flags) X(bytes_size) X(bytes_data) X(str_length)                \
    X(str_state) X(str_ascii_data) X(str_compact_data) X(str_kind_shift) X(str_compact_shift) X(str_ascii_shift)       \
    X(gc_head) X(preheader) X(preheader_flags) X(frame_stacktop) X(tstate_event)
/* clang-format on */

static void say(const char *name, unsigned long value)
{
    if (value != 0) {
        printf("%s %lu\n", name, value);
    }
}

int main(int argc, char **argv)
{
    const struct tm_cpython_layout *row;
    if (argc != 3) {
        return 2;
    }
    row = tm_cpython_layout_find((unsigned)strtoul(argv[1], NULL, 10), argv[2][0] == '1');
    if (row == NULL) {
        return 1;
    }
#define SAY_FIELD(field) say(#field, (unsigned long)row->field);
    FIELDS(SAY_FIELD)
    if (row->owner_shim != INT8_MAX) {
        say("owner_shim", (unsigned long)row->owner_shim);
    }
    return 0;
}
