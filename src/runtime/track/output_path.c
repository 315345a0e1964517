/* SPDX-License-Identifier: MIT */
#include "runtime/track/output_path.h"

#include <string.h>

#include "base/text.h"

static bool join(const char *path, const char *folder, size_t folder_length, bool is_pattern, char *to, size_t capacity)
{
    struct tm_text text;
    tm_text_init(&text, to, capacity);
    if (path[0] != '/' && folder_length > 0) {
        for (size_t i = 0; i < folder_length; i++) {
            if (is_pattern && folder[i] == '%') {
                tm_text_add_char(&text, '%');
            }
            tm_text_add_char(&text, folder[i]);
        }
        if (folder[folder_length - 1] != '/') {
            tm_text_add_char(&text, '/');
        }
    }
    tm_text_add(&text, path);
    if (is_pattern && path[0] != '\0' && path[strlen(path) - 1] == '/') {
        tm_text_add(&text, TM_OUTPUT_DEFAULT);
    }
    return !text.truncated;
}

bool tm_output_absolute(const char *path, const char *folder, size_t folder_length, char *to, size_t capacity)
{
    return join(path, folder, folder_length, false, to, capacity);
}

bool tm_output_pattern(const char *pattern, const char *folder, size_t folder_length, char *to, size_t capacity)
{
    return join(pattern, folder, folder_length, true, to, capacity);
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
        if (pattern[0] == '%' && pattern[1] == 'p') {
            return true;
        }
        pattern += pattern[0] == '%' && pattern[1] == '%';
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
        if (at[0] == '%' && at[1] != '\0') {
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
