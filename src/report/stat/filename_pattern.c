/* SPDX-License-Identifier: MIT */
#include "report/stat/filename_pattern.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static size_t length_as_source(const uint8_t *name, size_t length)
{
    return length >= 4 && memcmp(name + length - 4, ".pyc", 4) == 0 ? length - 1 : length;
}

bool tm_pattern_init(struct tm_pattern *pattern, const char *text, size_t length)
{
    const uint8_t *at = (const uint8_t *)text;
    const uint8_t *end = at + length_as_source(at, length);
    pattern->length = 0;
    pattern->points = calloc(length > 0 ? length : 1, sizeof *pattern->points);
    while (pattern->points != NULL && at < end) {
        pattern->points[pattern->length++] = tm_utf8_next(&at, end);
    }
    return pattern->points != NULL;
}

void tm_pattern_free(struct tm_pattern *pattern)
{
    free(pattern->points);
    *pattern = (struct tm_pattern){NULL, 0};
}

/* The position of the `]` that closes the set opened before START; the pattern's length when there is none.  A `]`
 * right behind the opening is a member. */
static size_t end_of_set(const struct tm_pattern *pattern, size_t start)
{
    size_t at = start;
    if (at < pattern->length && pattern->points[at] == '!') {
        at++;
    }
    if (at < pattern->length && pattern->points[at] == ']') {
        at++;
    }
    while (at < pattern->length && pattern->points[at] != ']') {
        at++;
    }
    return at;
}

static bool is_in_set(const uint32_t *set, size_t length, uint32_t point)
{
    bool negated = length > 0 && set[0] == '!';
    size_t at = negated ? 1 : 0;
    bool found = false;
    while (at < length && !found) {
        if (at + 2 < length && set[at + 1] == '-') {
            found = set[at] <= point && point <= set[at + 2];
            at += 3;
        } else {
            found = set[at] == point;
            at++;
        }
    }
    return found != negated;
}

/* Matches POINT against what stands at *AT, which is no star, and moves *AT behind it. */
static bool match_one(const struct tm_pattern *pattern, size_t *at, uint32_t point)
{
    uint32_t wanted = pattern->points[(*at)++];
    if (wanted == '?') {
        return true;
    }
    if (wanted == '[') {
        size_t start = *at, end = end_of_set(pattern, start);
        if (end < pattern->length) {
            *at = end + 1;
            return is_in_set(pattern->points + start, end - start, point);
        }
    }
    return wanted == point;
}

/* One star is remembered at a time: when what follows it does not match, it takes one more code point.  An earlier star
 * need not be tried again, for what it would take the later one can take too. */
bool tm_pattern_match(const struct tm_pattern *pattern, struct tm_span filename)
{
    const uint8_t *name = filename.bytes;
    const uint8_t *name_end = name + length_as_source(filename.bytes, filename.length);
    size_t at = 0, star_at = SIZE_MAX;
    const uint8_t *star_name = NULL;
    while (name < name_end) {
        if (at < pattern->length && pattern->points[at] == '*') {
            star_at = ++at;
            star_name = name;
            continue;
        }
        if (at < pattern->length) {
            uint32_t point = tm_utf8_next(&name, name_end);
            if (match_one(pattern, &at, point)) {
                continue;
            }
        }
        if (star_at == SIZE_MAX) {
            return false;
        }
        at = star_at;
        (void)tm_utf8_next(&star_name, name_end);
        name = star_name;
    }
    while (at < pattern->length && pattern->points[at] == '*') {
        at++;
    }
    return at == pattern->length;
}
