/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/python_text.h"

#include <string.h>

#include "runtime/unwind/python_frame.h"

/* More is no file name and no function name. */
#define TEXT_LONGEST ((uintptr_t)1 << 24)

struct sink {
    char *buffer;
    size_t capacity;
    size_t length;
};

static void put(struct sink *sink, uint32_t byte)
{
    if (sink->length < sink->capacity) {
        sink->buffer[sink->length] = (char)(unsigned char)byte;
    }
    sink->length++;
}

static void put_character(struct sink *sink, uint32_t c)
{
    if (c < 0x80) {
        put(sink, c);
    } else if (c < 0x800) {
        put(sink, 0xC0 | (c >> 6));
        put(sink, 0x80 | (c & 0x3F));
    } else if (c >= 0xDC80 && c <= 0xDCFF) {
        put(sink, c - 0xDC00); /* PEP 383: a byte that was not UTF-8 when the name was decoded */
    } else if (c < 0x10000) {
        put(sink, 0xE0 | (c >> 12));
        put(sink, 0x80 | ((c >> 6) & 0x3F));
        put(sink, 0x80 | (c & 0x3F));
    } else {
        put(sink, 0xF0 | ((c >> 18) & 0x07));
        put(sink, 0x80 | ((c >> 12) & 0x3F));
        put(sink, 0x80 | ((c >> 6) & 0x3F));
        put(sink, 0x80 | (c & 0x3F));
    }
}

static uint32_t character(uintptr_t data, unsigned kind, size_t index)
{
    if (kind == 1) {
        return ((const uint8_t *)data)[index];
    }
    return kind == 2 ? ((const uint16_t *)data)[index] : ((const uint32_t *)data)[index];
}

static size_t copy_bytes(uintptr_t data, size_t length, char *buffer, size_t capacity)
{
    memcpy(buffer, (const void *)data, length < capacity ? length : capacity);
    return length;
}

static size_t copy_str(const struct tm_cpython_layout *row, uintptr_t text, size_t length, char *buffer,
                       size_t capacity)
{
    const uint32_t state = *(const uint32_t *)(text + row->str_state);
    const unsigned kind = (state >> row->str_kind_shift) & 7U;
    const int compact = (int)(state >> row->str_compact_shift) & 1;
    struct sink sink = {buffer, capacity, 0};
    uintptr_t data;
    size_t i;
    if (kind != 1 && kind != 2 && kind != 4) {
        return 0; /* a legacy string that nobody has made ready (until 3.11) */
    }
    if (compact && ((state >> row->str_ascii_shift) & 1U)) {
        return copy_bytes(text + row->str_ascii_data, length, buffer, capacity);
    }
    data = compact ? text + row->str_compact_data : *(const uintptr_t *)(text + row->str_compact_data);
    if (data == 0) {
        return 0;
    }
    for (i = 0; i < length; i++) {
        put_character(&sink, character(data, kind, i));
    }
    return sink.length;
}

size_t tm_python_text(const struct tm_cpython_layout *layout, uintptr_t text, char *buffer, size_t capacity)
{
    uintptr_t length;
    if (text == 0) {
        return 0;
    }
    length = *(const uintptr_t *)(text + (layout->text_is_bytes ? layout->bytes_size : layout->str_length));
    if (length > TEXT_LONGEST) {
        return 0;
    }
    if (layout->text_is_bytes) {
        return copy_bytes(text + layout->bytes_data, length, buffer, capacity);
    }
    return copy_str(layout, text, length, buffer, capacity);
}

/* The object says in which form its LENGTH characters are. */
static bool find_characters(const struct tm_cpython_layout *row, uintptr_t text, size_t length,
                            struct tm_text_bytes *found)
{
    const uint32_t state = *(const uint32_t *)(text + row->str_state);
    const uint32_t kind = (state >> row->str_kind_shift) & 7U;
    const uint32_t is_ascii = (state >> row->str_ascii_shift) & 1U;
    if (((state >> row->str_compact_shift) & 1U) == 0) {
        return false;
    }
    found->bytes = (const void *)(text + (is_ascii ? row->str_ascii_data : row->str_compact_data));
    found->size = length * kind;
    found->form = kind << 1 | is_ascii;
    return true;
}

bool tm_python_text_bytes(const struct tm_cpython_layout *layout, uintptr_t text, struct tm_text_bytes *found)
{
    if (text == 0 || tm_python_word(text, layout->object_type) != layout->text_type) {
        return false;
    }
    const size_t length = tm_python_word(text, layout->text_is_bytes ? layout->bytes_size : layout->str_length);
    if (length > TEXT_LONGEST) {
        return false;
    }
    if (layout->text_is_bytes) {
        *found = (struct tm_text_bytes){(const void *)(text + layout->bytes_data), length, 0};
        return true;
    }
    return find_characters(layout, text, length, found);
}
