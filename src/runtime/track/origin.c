/* SPDX-License-Identifier: MIT */
#include "runtime/track/origin.h"

#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "runtime/track/runtime_state.h"

#define WORD "TRACEMALLOC_ORIGIN="

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static uint64_t choice_of(char *const *environment)
{
    uint64_t choice = 0;
    for (; *environment != NULL; environment++) {
        if (starts_with(*environment, "TRACEMALLOC_OUTPUT=") || starts_with(*environment, "TRACEMALLOC_STORE=")) {
            choice += tm_hash_bytes(*environment, strlen(*environment)); /* in any order */
        }
    }
    return choice;
}

/* PID:FOLDER; anything else is nobody's word. */
static void parse(struct tm_origin *origin, const char *value)
{
    char digits[11];
    uint64_t pid;
    const char *colon = strchr(value, ':');
    size_t length = colon == NULL ? sizeof digits : (size_t)(colon - value);
    if (length >= sizeof digits || colon[1] != '/' || strlen(colon + 1) >= sizeof origin->folder) {
        return;
    }
    memcpy(digits, value, length);
    digits[length] = '\0';
    if (!tm_text_to_unsigned(digits, UINT32_MAX, &pid)) {
        return;
    }
    origin->is_inherited = true;
    origin->first_pid = (uint32_t)pid;
    origin->folder_length = strlen(colon + 1);
    memcpy(origin->folder, colon + 1, origin->folder_length);
}

void tm_origin_begin(struct tm_origin *origin, char **environment)
{
    if (environment == NULL) {
        return;
    }
    char **to = environment;
    for (char **from = environment; *from != NULL; from++) {
        if (starts_with(*from, WORD)) {
            parse(origin, *from + sizeof WORD - 1);
        } else {
            *to++ = *from;
        }
    }
    *to = NULL;
    origin->choice = choice_of(environment);
}

bool tm_runtime_origin(char *const *environment, char *to, size_t capacity)
{
    const struct tm_runtime *runtime = &tm_runtime;
    const struct tm_origin *origin = &runtime->origin;
    bool is_known = origin->folder_length != 0 && (runtime->python_has_begun || origin->is_inherited);
    if (!is_known || choice_of(environment) != origin->choice) {
        return false;
    }
    /* What this process has written under the name without a pid stays. */
    bool is_taken = runtime->exit_path[0] != '\0' && runtime->pid == runtime->first_pid;
    struct tm_text text;
    tm_text_init(&text, to, capacity);
    tm_text_add(&text, WORD);
    tm_text_add_unsigned(&text, is_taken ? UINT32_MAX : runtime->first_pid);
    tm_text_add_char(&text, ':');
    tm_text_add_bytes(&text, origin->folder, origin->folder_length);
    return !text.truncated;
}

bool tm_runtime_follows_exec(void)
{
    return tm_runtime.config.follow_exec || !(tm_runtime.python_has_begun || tm_runtime.origin.is_inherited);
}
