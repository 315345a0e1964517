/* SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "runtime/os/os_peek.h"
#include "runtime/unwind/cpython_runtime.h"
#include "runtime/unwind/python_frame.h"

/* So many frames are looked at before the row is believed without one that counts. */
enum { FRAMES_CHECKED = 64 };

static bool peek_word(uintptr_t object, unsigned offset, uintptr_t *word)
{
    return tm_memory_peek(object + offset, word, sizeof *word);
}

static bool has_type(const struct tm_cpython_layout *row, uintptr_t object, uintptr_t type)
{
    uintptr_t found;
    return peek_word(object, row->object_type, &found) && found == type;
}

/* A str of a subclass is possible, but not in the first frames that a process shows us. */
static bool field_has_type(const struct tm_cpython_layout *row, uintptr_t object, unsigned offset, uintptr_t type)
{
    uintptr_t field;
    return peek_word(object, offset, &field) && has_type(row, field, type);
}

static const char *check_code(const struct tm_cpython_layout *row, uintptr_t code)
{
    if (!has_type(row, code, row->code_type)) {
        return "what a frame holds is not a code object";
    }
    if (!field_has_type(row, code, row->code_filename, row->text_type) ||
        !field_has_type(row, code, row->code_name, row->text_type) ||
        (row->code_qualname != 0 && !field_has_type(row, code, row->code_qualname, row->text_type))) {
        return "the names of a code object are not text";
    }
    return field_has_type(row, code, row->code_lines, row->bytes_type) ? NULL
                                                                       : "the line table of a code object is not bytes";
}

/* NULL and *COUNTS: the frame is as expected (and not a shim). */
static const char *check_frame(const struct tm_cpython_layout *row, uintptr_t frame, bool *counts)
{
    int8_t owner = 0;
    uintptr_t code;
    if (row->chain == TM_CHAIN_OBJECT && !has_type(row, frame, row->frame_type)) {
        return "the newest frame is not a frame object";
    }
    if (row->frame_owner != 0 && !tm_memory_peek(frame + row->frame_owner, &owner, sizeof owner)) {
        return "a frame cannot be read";
    }
    *counts = owner < row->owner_shim;
    if (!*counts) {
        return NULL;
    }
    return peek_word(frame, row->frame_code, &code) ? check_code(row, code & ~row->frame_code_mask)
                                                    : "a frame cannot be read";
}

static const char *newest_frame(struct tm_cpython *python, uintptr_t tstate, uintptr_t *frame)
{
    const struct tm_cpython_layout *row = &python->row;
    uintptr_t holder = tstate;
    unsigned offset = row->tstate_frame;
    *frame = 0;
    if (tm_cpython_is_peeked(python, tstate)) {
        holder = python->peeked_holder;
        offset = row->chain == TM_CHAIN_CFRAME ? row->cframe_current : offset;
        *frame = holder == 0 ? 0 : tm_python_word(holder, offset);
        return NULL;
    }
    if (row->chain == TM_CHAIN_CFRAME) {
        if (!peek_word(tstate, row->tstate_cframe, &holder)) {
            return "the thread state cannot be read";
        }
        offset = row->cframe_current;
    }
    if (holder != 0 && !peek_word(holder, offset, frame)) {
        return "the thread state cannot be read";
    }
    python->peeked_tstate = tstate;
    python->peeked_holder = holder;
    return NULL;
}

/* *DECIDED: a frame that counts was seen. */
static const char *check_stack(struct tm_cpython *python, uintptr_t tstate, bool *decided)
{
    const struct tm_cpython_layout *row = &python->row;
    uintptr_t frame;
    const char *fault = newest_frame(python, tstate, &frame);
    unsigned i;
    for (i = 0; i < FRAMES_CHECKED && fault == NULL && frame != 0 && !*decided; i++) {
        fault = check_frame(row, frame, decided);
        if (fault == NULL && !peek_word(frame, row->frame_previous, &frame)) {
            fault = "the chain of frames cannot be read";
        }
    }
    return fault;
}

bool tm_cpython_check_frames(struct tm_cpython *python, uintptr_t tstate)
{
    const char *fault;
    bool decided = false;
    if (python->layout == NULL || python->frames_checked) {
        return true;
    }
    if (tstate == 0) {
        return false;
    }
    fault = check_stack(python, tstate, &decided);
    if (fault != NULL) {
        python->layout = NULL;
        python->refusal = fault;
        return true;
    }
    python->frames_checked = decided;
    return decided;
}
