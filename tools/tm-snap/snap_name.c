/* SPDX-License-Identifier: MIT */
#include "tools/tm-snap/snap_name.h"

#include <string.h>

#include "base/text.h"

#define DIGITS 4U

bool tm_snap_name_is_pattern(const char *pattern)
{
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '%' && strchr("pn%", *++pattern) == NULL) {
            return false;
        }
        if (*pattern == '\0') {
            return false; /* strchr finds the end too: a lonely percent sign */
        }
    }
    return true;
}

static bool has(const char *pattern, char letter)
{
    for (; *pattern != '\0'; pattern++) {
        if (pattern[0] == '%' && *++pattern == letter) {
            return true;
        }
    }
    return false;
}

bool tm_snap_name_has_number(const char *pattern)
{
    size_t length = strlen(pattern);
    return has(pattern, 'n') || (length > 0 && pattern[length - 1] == '/');
}

/* Where the last extension of the name begins: at its dot, or at the end. */
static const char *extension(const char *pattern)
{
    const char *slash = strrchr(pattern, '/');
    const char *name = slash == NULL ? pattern : slash + 1;
    const char *dot = strrchr(name, '.');
    return dot == NULL || dot == name ? pattern + strlen(pattern) : dot;
}

static void add_pattern(struct tm_text *text, const char *pattern, uint32_t pid, bool insert, unsigned number)
{
    const char *end = insert && !has(pattern, 'n') ? extension(pattern) : NULL;
    for (const char *at = pattern;; at++) {
        if (at == end) {
            tm_text_add_char(text, '.');
            tm_text_add_padded(text, number, DIGITS);
        }
        if (*at == '\0') {
            return;
        }
        if (*at == '%') {
            at++;
        }
        if (at > pattern && at[-1] == '%' && *at == 'p') {
            tm_text_add_unsigned(text, pid);
        } else if (at > pattern && at[-1] == '%' && *at == 'n') {
            tm_text_add_padded(text, number, DIGITS);
        } else {
            tm_text_add_char(text, *at);
        }
    }
}

bool tm_snap_name_make(const char *pattern, uint32_t pid, bool insert, unsigned number, char *name, size_t capacity)
{
    struct tm_text text;
    size_t length = strlen(pattern);
    bool is_folder = length > 0 && pattern[length - 1] == '/';
    tm_text_init(&text, name, capacity);
    add_pattern(&text, pattern, pid, insert && !is_folder, number);
    if (is_folder) {
        add_pattern(&text, TM_SNAP_NAME_DEFAULT, pid, false, number);
    }
    return !text.truncated;
}
