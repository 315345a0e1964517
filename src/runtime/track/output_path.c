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

bool tm_output_has(const char *pattern, char letter)
{
    for (; *pattern != '\0'; pattern++) {
        if (pattern[0] == '%' && pattern[1] == letter) {
            return true;
        }
        pattern += pattern[0] == '%' && pattern[1] == '%';
    }
    return false;
}

bool tm_output_has_pid(const char *pattern)
{
    return tm_output_has(pattern, 'p');
}

bool tm_output_has_number(const char *pattern)
{
    return tm_output_has(pattern, 'n');
}

static void add_plain(struct tm_text *text, const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        tm_text_add_char(text, (char)(name[i] == '/' || name[i] == '%' ? '_' : name[i]));
    }
}

static void add_base_name(struct tm_text *text, const char *path, size_t length)
{
    size_t begin = length;
    while (begin > 0 && path[begin - 1] != '/') {
        begin--;
    }
    add_plain(text, path + begin, length - begin);
}

static unsigned days_of_year(unsigned year)
{
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return is_leap ? 366 : 365;
}

/* By hand: libc's functions of dates know locales and locks.  Once in a life of a process, so it may count. */
static void add_date(struct tm_text *text, uint64_t days)
{
    static const unsigned char lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year = 1970;
    unsigned month = 0;
    for (; days >= days_of_year(year); year++) {
        days -= days_of_year(year);
    }
    for (; days >= lengths[month] + (month == 1 ? days_of_year(year) - 365 : 0); month++) {
        days -= lengths[month] + (month == 1 ? days_of_year(year) - 365 : 0);
    }
    tm_text_add_padded(text, year, 4);
    tm_text_add_padded(text, month + 1, 2);
    tm_text_add_padded(text, days + 1, 2);
}

static void add_time(struct tm_text *text, uint64_t time_ns)
{
    uint64_t seconds = time_ns / UINT64_C(1000000000);
    add_date(text, seconds / 86400);
    tm_text_add_char(text, '-');
    tm_text_add_padded(text, seconds / 3600 % 24, 2);
    tm_text_add_padded(text, seconds / 60 % 60, 2);
    tm_text_add_padded(text, seconds % 60, 2);
}

bool tm_output_expand(const char *pattern, const struct tm_output_facts *facts, char *to, size_t capacity)
{
    struct tm_text text;
    tm_text_init(&text, to, capacity);
    for (const char *at = pattern; *at != '\0'; at++) {
        char letter = (char)(*at == '%' ? at[1] : '\0');
        if (letter == 'h') {
            add_plain(&text, facts->host, facts->host_length);
        } else if (letter == 'e') {
            add_base_name(&text, facts->program, facts->program_length);
        } else if (letter == 't') {
            add_time(&text, facts->time_ns);
        } else {
            tm_text_add_char(&text, *at);
            if (letter == '\0') {
                continue;
            }
            tm_text_add_char(&text, letter);
        }
        at++;
    }
    return !text.truncated;
}

/* Where the last extension of the name begins: at its dot, or at the end. */
static const char *extension(const char *pattern)
{
    const char *slash = strrchr(pattern, '/');
    const char *name = slash == NULL ? pattern : slash + 1;
    const char *dot = strrchr(name, '.');
    return dot == NULL || dot == name ? pattern + strlen(pattern) : dot;
}

bool tm_output_add_number(const char *pattern, char *to, size_t capacity)
{
    struct tm_text text;
    const char *end = extension(pattern);
    tm_text_init(&text, to, capacity);
    tm_text_add_bytes(&text, pattern, (size_t)(end - pattern));
    tm_text_add(&text, tm_output_has_number(pattern) ? "" : ".%n");
    tm_text_add(&text, end);
    return !text.truncated;
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
            if (attempt > 1 && !tm_output_has_number(pattern)) {
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
            if (*at == 'n') {
                tm_text_add_padded(&text, attempt, 4);
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
