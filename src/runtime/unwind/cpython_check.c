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

/* A code object's own type and what it has of text and bytes, the line table last. */
enum { CODE_TYPE, CODE_FILENAME, CODE_NAME, CODE_QUALNAME, CODE_LINES, CODE_WORDS };

/* A str of a subclass is possible, but not in the first frames that a process shows us. */
static const char *check_code(const struct tm_cpython_layout *row, uintptr_t code)
{
    uintptr_t words[CODE_WORDS], types[CODE_WORDS];
    uintptr_t at[CODE_WORDS] = {
        [CODE_TYPE] = code + row->object_type,
        [CODE_FILENAME] = code + row->code_filename,
        [CODE_NAME] = code + row->code_name,
        [CODE_QUALNAME] = code + (row->code_qualname != 0 ? row->code_qualname : row->code_name),
        [CODE_LINES] = code + row->code_lines,
    };
    const unsigned count = tm_memory_peek_words(at, words, CODE_WORDS);
    if (count == 0 || words[CODE_TYPE] != row->code_type) {
        return "what a frame holds is not a code object";
    }
    for (unsigned i = CODE_FILENAME; i < count; i++) {
        at[i] = words[i] + row->object_type;
    }
    const unsigned known = 1 + tm_memory_peek_words(at + 1, types + 1, count - 1);
    if (known <= CODE_QUALNAME || types[CODE_FILENAME] != row->text_type || types[CODE_NAME] != row->text_type ||
        types[CODE_QUALNAME] != row->text_type) {
        return "the names of a code object are not text";
    }
    return known == CODE_WORDS && types[CODE_LINES] == row->bytes_type ? NULL
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
