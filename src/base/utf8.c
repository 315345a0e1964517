/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <string.h>

/* What may stand in a sequence: RFC 3629.  The limits of the second byte keep out overlong forms, surrogates and
 * what lies above U+10FFFF. */
struct sequence {
    unsigned length;
    uint8_t second_min;
    uint8_t second_max;
    uint8_t lead_mask;
};

static struct sequence sequence_of(uint8_t lead)
{
    if (lead >= 0xC2 && lead <= 0xDF) {
        return (struct sequence){2, 0x80, 0xBF, 0x1F};
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        return (struct sequence){3, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF, 0x0F};
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        return (struct sequence){4, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF, 0x07};
    }
    return (struct sequence){0, 0, 0, 0};
}

uint32_t tm_utf8_next(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *s = *at;
    *at = s + 1;
    if (s[0] < 0x80) {
        return s[0];
    }
    struct sequence sequence = sequence_of(s[0]);
    if (sequence.length == 0 || (size_t)(end - s) < sequence.length || s[1] < sequence.second_min ||
        s[1] > sequence.second_max) {
        return TM_UTF8_ESCAPE + s[0];
    }
    uint32_t code_point = s[0] & sequence.lead_mask;
    for (unsigned i = 1; i < sequence.length; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return TM_UTF8_ESCAPE + s[0];
        }
        code_point = code_point << 6 | (s[i] & 0x3F);
    }
    *at = s + sequence.length;
    return code_point;
}

/* Bytes of ASCII that both begin with, eight at a time: most names share their folders. */
static size_t equal_ascii(const uint8_t *a, const uint8_t *b, size_t length)
{
    size_t equal = 0;
    while (equal + 8 <= length) {
        uint64_t x, y;
        memcpy(&x, a + equal, sizeof x);
        memcpy(&y, b + equal, sizeof y);
        if (x != y || (x & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
        equal += 8;
    }
    return equal;
}

int tm_utf8_compare(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
    const uint8_t *a_end = a + a_length, *b_end = b + b_length;
    size_t equal = equal_ascii(a, b, a_length < b_length ? a_length : b_length);
    a += equal;
    b += equal;
    while (a < a_end && b < b_end) {
        uint32_t x = tm_utf8_next(&a, a_end), y = tm_utf8_next(&b, b_end);
        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    return (a < a_end) - (b < b_end);
}
