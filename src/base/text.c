/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <string.h>

void tm_text_init(struct tm_text *text, char *buffer, size_t capacity)
{
    text->bytes = buffer;
    text->length = 0;
    text->capacity = capacity;
    text->truncated = false;
    buffer[0] = '\0';
}

void tm_text_add_bytes(struct tm_text *text, const char *bytes, size_t length)
{
    size_t room = text->capacity - 1 - text->length;
    if (length > room) {
        length = room;
        text->truncated = true;
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void tm_text_add(struct tm_text *text, const char *string)
{
    tm_text_add_bytes(text, string, strlen(string));
}

void tm_text_add_char(struct tm_text *text, char c)
{
    tm_text_add_bytes(text, &c, 1);
}

void tm_text_add_padded(struct tm_text *text, uint64_t value, unsigned width)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (at > 0 && sizeof digits - at < width) {
        digits[--at] = '0';
    }
    tm_text_add_bytes(text, digits + at, sizeof digits - at);
}

void tm_text_add_unsigned(struct tm_text *text, uint64_t value)
{
    tm_text_add_padded(text, value, 1);
}

bool tm_text_to_unsigned(const char *string, uint64_t max, uint64_t *value)
{
    uint64_t sum = 0;
    if (*string == '\0') {
        return false;
    }
    for (; *string != '\0'; string++) {
        if (*string < '0' || *string > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(*string - '0');
        if (digit > max || sum > (max - digit) / 10) {
            return false;
        }
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}
