/* SPDX-License-Identifier: MIT */
/* A thread state, frames, code objects and names built in memory as a row of the layout table says: the walk can be
 * tested for every release without any Python. */
#ifndef TM_TESTS_UNIT_UNWIND_FAKE_INTERPRETER_H
#define TM_TESTS_UNIT_UNWIND_FAKE_INTERPRETER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/unwind/cpython_layout.h"

enum { FAKE_BLOCKS = 4096, FAKE_SIZE = 512 };

struct fake_interpreter {
    struct tm_cpython_layout row;
    void *blocks[FAKE_BLOCKS];
    unsigned block_count;
    uintptr_t tstate, cframe, code_type, frame_type, text_type, bytes_type;
};

static inline uintptr_t fake_block(struct fake_interpreter *fake, size_t size)
{
    void *block = calloc(1, size);
    if (block == NULL || fake->block_count == FAKE_BLOCKS) {
        abort();
    }
    fake->blocks[fake->block_count++] = block;
    return (uintptr_t)block;
}

static inline void fake_word(uintptr_t object, unsigned offset, uintptr_t value)
{
    memcpy((void *)(object + offset), &value, sizeof value);
}

static inline void fake_int(uintptr_t object, unsigned offset, int32_t value)
{
    memcpy((void *)(object + offset), &value, sizeof value);
}

static inline void fake_init(struct fake_interpreter *fake, const struct tm_cpython_layout *row)
{
    memset(fake, 0, sizeof *fake);
    fake->row = *row;
    fake->row.code_type = fake->code_type = fake_block(fake, FAKE_SIZE);
    fake->row.frame_type = fake->frame_type = fake_block(fake, FAKE_SIZE);
    fake->row.text_type = fake->text_type = fake_block(fake, FAKE_SIZE);
    fake->row.bytes_type = fake->bytes_type = row->text_is_bytes ? fake->text_type : fake_block(fake, FAKE_SIZE);
    fake->tstate = fake_block(fake, FAKE_SIZE);
    if (row->chain == TM_CHAIN_CFRAME) {
        fake->cframe = fake_block(fake, FAKE_SIZE);
        fake_word(fake->tstate, row->tstate_cframe, fake->cframe);
    }
}

static inline void fake_free(struct fake_interpreter *fake)
{
    while (fake->block_count > 0) {
        free(fake->blocks[--fake->block_count]);
    }
}

static inline uintptr_t fake_bytes(struct fake_interpreter *fake, const void *data, size_t size)
{
    const uintptr_t object = fake_block(fake, fake->row.bytes_data + size);
    fake_word(object, fake->row.object_type, fake->bytes_type);
    fake_word(object, fake->row.bytes_size, size);
    memcpy((void *)(object + fake->row.bytes_data), data, size);
    return object;
}

/* A str of LENGTH characters of KIND bytes each; COMPACT: 2 ASCII, 1 compact, 0 with its data elsewhere. */
static inline uintptr_t fake_str(struct fake_interpreter *fake, const void *data, size_t length, unsigned kind,
                                 unsigned compact)
{
    const struct tm_cpython_layout *row = &fake->row;
    const unsigned start = compact == 2 ? row->str_ascii_data : row->str_compact_data;
    const uintptr_t object = fake_block(fake, start + length * kind + sizeof(uintptr_t));
    fake_word(object, row->object_type, fake->text_type);
    fake_word(object, row->str_length, length);
    fake_int(object, row->str_state,
             (int32_t)(kind << row->str_kind_shift | (unsigned)(compact != 0) << row->str_compact_shift |
                       (unsigned)(compact == 2) << row->str_ascii_shift));
    if (compact == 0) {
        const uintptr_t elsewhere = fake_block(fake, length * kind);
        memcpy((void *)elsewhere, data, length * kind);
        fake_word(object, row->str_compact_data, elsewhere);
    } else {
        memcpy((void *)(object + start), data, length * kind);
    }
    return object;
}

static inline uintptr_t fake_text(struct fake_interpreter *fake, const char *ascii)
{
    return fake->row.text_is_bytes ? fake_bytes(fake, ascii, strlen(ascii))
                                   : fake_str(fake, ascii, strlen(ascii), 1, 2);
}

/* A code object whose every instruction is on line FIRST_LINE + 1; its first three units are not traceable. */
static inline uintptr_t fake_code(struct fake_interpreter *fake, const char *file, const char *name, int first_line)
{
    static const unsigned char steps[] = {0, 1};
    static const unsigned char ranges[] = {254, 1};
    /* Line step +1 without columns, 8 units; then 8 units each on the same line. */
    static const unsigned char locations[] = {0x80 | 13 << 3 | 7, 2, 0x87, 0, 0x87, 0, 0x87, 0};
    const struct tm_cpython_layout *row = &fake->row;
    const uintptr_t code = fake_block(fake, (size_t)row->code_size + 256);
    fake_word(code, row->object_type, fake->code_type);
    fake_word(code, row->code_filename, fake_text(fake, file));
    fake_word(code, row->code_name, fake_text(fake, name));
    fake_int(code, row->code_firstlineno, first_line);
    if (row->code_qualname != 0) {
        fake_word(code, row->code_qualname, fake_text(fake, name));
    }
    if (row->code_firsttraceable != 0) {
        fake_int(code, row->code_firsttraceable, 3);
    }
    if (row->lines == TM_LINES_LOCATIONS) {
        fake_word(code, row->code_lines, fake_bytes(fake, locations, sizeof locations));
    } else if (row->lines == TM_LINES_RANGES) {
        fake_word(code, row->code_lines, fake_bytes(fake, ranges, sizeof ranges));
    } else {
        fake_word(code, row->code_lines, fake_bytes(fake, steps, sizeof steps));
    }
    return code;
}

static inline uintptr_t fake_newest(const struct fake_interpreter *fake)
{
    const struct tm_cpython_layout *row = &fake->row;
    return row->chain == TM_CHAIN_CFRAME ? *(uintptr_t *)(fake->cframe + row->cframe_current)
                                         : *(uintptr_t *)(fake->tstate + row->tstate_frame);
}

/* Enters CODE at UNIT; OWNER is ignored where frames have none. */
static inline uintptr_t fake_enter(struct fake_interpreter *fake, uintptr_t code, int unit, int owner)
{
    const struct tm_cpython_layout *row = &fake->row;
    const uintptr_t frame = fake_block(fake, FAKE_SIZE);
    if (row->chain == TM_CHAIN_OBJECT) {
        fake_word(frame, row->object_type, fake->frame_type);
        fake_int(frame, row->frame_instruction, unit < 0 || row->instruction == TM_INSTRUCTION_UNITS ? unit : unit * 2);
    } else {
        fake_word(frame, row->frame_instruction, code + row->code_bytes + (uintptr_t)(intptr_t)(unit * 2));
        *(int8_t *)(frame + row->frame_owner) = (int8_t)owner;
    }
    fake_word(frame, row->frame_code, code | (row->frame_code_mask & 1));
    fake_word(frame, row->frame_previous, fake_newest(fake));
    if (row->chain == TM_CHAIN_CFRAME) {
        fake_word(fake->cframe, row->cframe_current, frame);
    } else {
        fake_word(fake->tstate, row->tstate_frame, frame);
    }
    return frame;
}

#endif
