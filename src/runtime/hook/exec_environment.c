/* SPDX-License-Identifier: MIT */
#include "runtime/hook/exec_environment.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "runtime/track/runtime.h"

#define PRELOAD "LD_PRELOAD="
#define LIBRARY "libtracemalloc.so"

size_t tm_exec_environment_count(char *const *given)
{
    size_t count = 0;
    while (given != NULL && given[count] != NULL) {
        count++;
    }
    return count + 2;
}

/* The path of LENGTH bytes names our library. */
static bool is_ours(const char *path, size_t length)
{
    const char *slash = memrchr(path, '/', length);
    const char *name = slash == NULL ? path : slash + 1;
    size_t left = length - (size_t)(name - path);
    return left >= sizeof LIBRARY - 1 && memcmp(name, LIBRARY, sizeof LIBRARY - 1) == 0;
}

/* Where in GIVEN our library is preloaded; a negative number: nowhere. */
static long find_preload(char *const *given)
{
    for (long i = 0; given[i] != NULL; i++) {
        if (strncmp(given[i], PRELOAD, sizeof PRELOAD - 1) != 0) {
            continue;
        }
        for (const char *at = given[i] + sizeof PRELOAD - 1; *at != '\0'; at += strspn(at, " :")) {
            size_t length = strcspn(at, " :");
            if (is_ours(at, length)) {
                return i;
            }
            at += length;
        }
    }
    return -1;
}

/* WORD without our library; an empty text when nothing is left.  False: no room. */
static bool strip(const char *word, struct tm_text *text)
{
    for (const char *at = word + sizeof PRELOAD - 1; *at != '\0'; at += strspn(at, " :")) {
        size_t length = strcspn(at, " :");
        if (length > 0 && !is_ours(at, length)) {
            tm_text_add(text, text->length == 0 ? PRELOAD : ":");
            tm_text_add_bytes(text, at, length);
        }
        at += length;
    }
    return !text->truncated;
}

/* Where COUNT words may be put: WORDS or pages; NULL when there is no memory. */
static char **find_place(char **words, size_t count, struct tm_exec_environment *room)
{
    if (count <= TM_EXEC_WORDS) {
        return words;
    }
    size_t size = count * sizeof *words;
    return tm_lent_pages_take(&room->pages, size, tm_runtime_borrows_memory()) ? room->pages.at : NULL;
}

static char *const *without_library(char *const *given, size_t preload, char **words, size_t words_needed,
                                    struct tm_exec_environment *room)
{
    struct tm_text text;
    size_t count = 0;
    tm_text_init(&text, room->text, sizeof room->text);
    if (!strip(given[preload], &text) || (words = find_place(words, words_needed, room)) == NULL) {
        return given;
    }
    for (size_t i = 0; given[i] != NULL; i++) {
        if (i != preload) {
            words[count++] = given[i];
        } else if (text.length > 0) {
            words[count++] = room->text;
        }
    }
    words[count] = NULL;
    return words;
}

char *const *tm_exec_environment(char *const *given, char **words, size_t count, struct tm_exec_environment *room)
{
    room->pages = (struct tm_lent_pages){NULL, 0, 0};
    tm_lent_pages_sweep();
    long preload = given == NULL ? -1 : find_preload(given);
    if (preload < 0) {
        return given;
    }
    if (!tm_runtime_follows_exec()) {
        return without_library(given, (size_t)preload, words, count, room);
    }
    if (!tm_runtime_origin(given, room->text, sizeof room->text) || (words = find_place(words, count, room)) == NULL) {
        return given;
    }
    memcpy(words, given, (count - 2) * sizeof *words);
    words[count - 2] = room->text;
    words[count - 1] = NULL;
    return words;
}

void tm_exec_environment_end(const struct tm_exec_environment *room)
{
    if (room->pages.at != NULL) {
        tm_lent_pages_return(&room->pages);
    }
}
