/* SPDX-License-Identifier: MIT */
#include "report/snapshot/punycode.h"

#include <string.h>

#define CHARACTERS_MAX 128U

/* RFC 3492, section 5. */
enum { BASE = 36, DIGIT_MIN = 1, DIGIT_MAX = 26, SKEW = 38, DAMP = 700, INITIAL_BIAS = 72, INITIAL_CHARACTER = 128 };

struct decoding {
    uint32_t characters[CHARACTERS_MAX];
    size_t count;
    const char *at, *end;
};

static bool is_character(uint64_t value)
{
    return value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

static uint32_t adapt(uint64_t delta, size_t count, bool is_first)
{
    uint32_t turns = 0;
    delta /= is_first ? DAMP : 2;
    delta += delta / count;
    for (; delta > (BASE - DIGIT_MIN) * DIGIT_MAX / 2; turns += BASE) {
        delta /= BASE - DIGIT_MIN;
    }
    return turns + (uint32_t)((BASE - DIGIT_MIN + 1) * delta / (delta + SKEW));
}

/* A number of variable length. */
static bool read_delta(struct decoding *decoding, uint32_t bias, uint64_t *delta)
{
    uint64_t weight = 1;
    *delta = 0;
    for (uint32_t k = BASE; decoding->at < decoding->end && weight <= UINT32_MAX && *delta <= UINT32_MAX; k += BASE) {
        char c = *decoding->at++;
        uint32_t digit = c >= 'a' && c <= 'z'   ? (uint32_t)(c - 'a')
                         : c >= '0' && c <= '9' ? 26U + (uint32_t)(c - '0')
                                                : BASE;
        uint32_t threshold = k <= bias + DIGIT_MIN ? DIGIT_MIN : k >= bias + DIGIT_MAX ? DIGIT_MAX : k - bias;
        if (digit == BASE) {
            return false;
        }
        *delta += digit * weight;
        if (digit < threshold) {
            return *delta <= UINT32_MAX;
        }
        weight *= BASE - threshold;
    }
    return false;
}

static bool decode(struct decoding *decoding)
{
    uint64_t character = INITIAL_CHARACTER, place = 0;
    uint32_t bias = INITIAL_BIAS;
    bool is_first = true;
    while (decoding->at < decoding->end) {
        uint64_t delta;
        if (decoding->count == CHARACTERS_MAX || !read_delta(decoding, bias, &delta)) {
            return false;
        }
        size_t count = decoding->count + 1;
        bias = adapt(delta, count, is_first);
        is_first = false;
        character += (place + delta) / count;
        place = (place + delta) % count;
        if (!is_character(character)) {
            return false;
        }
        memmove(decoding->characters + place + 1, decoding->characters + place,
                (decoding->count - place) * sizeof decoding->characters[0]);
        decoding->characters[place++] = (uint32_t)character;
        decoding->count = count;
    }
    return true;
}

static void add_utf8(struct tm_text *text, uint32_t c)
{
    if (c < 0x80) {
        tm_text_add_char(text, (char)c);
        return;
    }
    unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t heads[] = {0, 0xC0, 0xE0, 0xF0};
    tm_text_add_char(text, (char)(uint8_t)(heads[more] | c >> (6 * more)));
    while (more-- > 0) {
        tm_text_add_char(text, (char)(uint8_t)(0x80 | ((c >> (6 * more)) & 0x3F)));
    }
}

bool tm_punycode_add(struct tm_text *text, const char *bytes, size_t length)
{
    struct decoding decoding = {.count = 0, .at = bytes, .end = bytes + length};
    size_t plain = length;
    while (plain > 0 && bytes[plain - 1] != '_') {
        plain--;
    }
    decoding.at = bytes + plain;
    plain = plain > 0 ? plain - 1 : 0;
    if (plain > CHARACTERS_MAX || decoding.at == decoding.end) {
        return false;
    }
    for (; decoding.count < plain; decoding.count++) {
        decoding.characters[decoding.count] = (uint8_t)bytes[decoding.count];
    }
    if (!decode(&decoding)) {
        return false;
    }
    for (size_t i = 0; i < decoding.count; i++) {
        add_utf8(text, decoding.characters[i]);
    }
    return true;
}
