/* SPDX-License-Identifier: MIT */
#include "runtime/track/output_path.h"

#include <string.h>

#include "base/text.h"

bool tm_output_absolute(const char *pattern, const char *folder, size_t folder_length, char *to, size_t capacity)
{
    struct tm_text text;
    tm_text_init(&text, to, capacity);
    if (pattern[0] != '/' && folder_length > 0) {
        tm_text_add_bytes(&text, folder, folder_length);
        if (folder[folder_length - 1] != '/') {
            tm_text_add_char(&text, '/');
        }
    }
    tm_text_add(&text, pattern);
    return !text.truncated;
}

bool tm_output_folder(const char *path, char *to, size_t capacity)
{
    struct tm_text text;
    const char *slash = strrchr(path, '/');
    tm_text_init(&text, to, capacity);
    if (slash == NULL) {
        tm_text_add(&text, ".");
    } else {
        tm_text_add_bytes(&text, path, slash == path ? 1 : (size_t)(slash - path));
    }
    return !text.truncated;
}

bool tm_output_has_pid(const char *pattern)
{
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '%' && *++pattern == 'p') {
            return true;
        }
    }
    return false;
}

/* Where the last extension of the name begins: at its dot, or at the end. */
static const char *extension(const char *pattern)
{
    const char *slash = strrchr(pattern, '/');
    const char *name = slash == NULL ? pattern : slash + 1;
    const char *dot = strrchr(name, '.');
    return dot == NULL || dot == name ? pattern + strlen(pattern) : dot;
}

bool tm_output_name(const char *pattern, uint32_t pid, bool insert, unsigned attempt, char *to, size_t capacity)
{
    struct tm_text text;
    const char *end = extension(pattern);
    bool has_pid = tm_output_has_pid(pattern);
    tm_text_init(&text, to, capacity);
    for (const char *at = pattern;; at++) {
        if (at == end) {
            if (insert && !has_pid) {
                tm_text_add_char(&text, '.');
                tm_text_add_unsigned(&text, pid);
            }
            if (attempt > 1) {
                tm_text_add_char(&text, '-');
                tm_text_add_unsigned(&text, attempt);
            }
        }
        if (*at == '\0') {
            return !text.truncated;
        }
        if (*at == '%') {
            at++;
            if (*at == 'p') {
                tm_text_add_unsigned(&text, pid);
                continue;
            }
        }
        tm_text_add_char(&text, *at);
    }
}

bool tm_output_store(const char *folder, uint32_t pid, unsigned attempt, char *to, size_t capacity)
{
    struct tm_text text;
    tm_text_init(&text, to, capacity);
    tm_text_add(&text, folder);
    tm_text_add(&text, "/tracemalloc.");
    tm_text_add_unsigned(&text, pid);
    if (attempt > 1) {
        tm_text_add_char(&text, '-');
        tm_text_add_unsigned(&text, attempt);
    }
    tm_text_add(&text, ".live");
    return !text.truncated;
}
