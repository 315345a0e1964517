/* SPDX-License-Identifier: MIT */
#include "report/snapshot/demangle.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "report/snapshot/demangle_rust.h"

#define HASH_LENGTH 19U /* "::h" and 16 digits */

typedef char *demangle_function(const char *name, char *buffer, size_t *length, int *status);

static demangle_function *find_function(void)
{
    static demangle_function *function;
    static bool is_looked_for;
    if (!is_looked_for) {
        is_looked_for = true;
        void *library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);
        library = library != NULL ? library : dlopen("libc++abi.so.1", RTLD_LAZY | RTLD_LOCAL);
        void *found = library != NULL ? dlsym(library, "__cxa_demangle") : NULL;
        memcpy(&function, &found, sizeof function); /* POSIX; ISO C has no such cast */
    }
    return function;
}

static bool ends_in_hash(const char *name, size_t length)
{
    if (length < HASH_LENGTH || strncmp(name + length - HASH_LENGTH, "::h", 3) != 0) {
        return false;
    }
    return strspn(name + length - HASH_LENGTH + 3, "0123456789abcdef") == HASH_LENGTH - 3;
}

/* The character that the escape at AT means, and its length; '\0': it is none. */
static char escape_at(const char *at, size_t *length)
{
    static const struct {
        const char *escape;
        char character;
    } escapes[] = {{"$SP$", '@'},  {"$BP$", '*'},  {"$RF$", '&'},  {"$LT$", '<'},  {"$GT$", '>'},
                   {"$LP$", '('},  {"$RP$", ')'},  {"$C$", ','},   {"$u20$", ' '}, {"$u27$", '\''},
                   {"$u5b$", '['}, {"$u5d$", ']'}, {"$u7b$", '{'}, {"$u7d$", '}'}, {"$u7e$", '~'}};
    for (size_t i = 0; i < TM_COUNT_OF(escapes); i++) {
        *length = strlen(escapes[i].escape);
        if (strncmp(at, escapes[i].escape, *length) == 0) {
            return escapes[i].character;
        }
    }
    return '\0';
}

void tm_demangle_rust(char *name)
{
    size_t length = strlen(name);
    if (!ends_in_hash(name, length)) {
        return;
    }
    name[length - HASH_LENGTH] = '\0';
    char *to = name;
    for (const char *at = name; *at != '\0';) {
        size_t escape_length;
        char character = (char)(*at == '$' ? escape_at(at, &escape_length) : '\0');
        bool is_part_begin = at == name || (at >= name + 2 && at[-1] == ':');
        if (character != '\0') {
            *to++ = character;
            at += escape_length;
        } else if (at[0] == '.' && at[1] == '.') {
            *to++ = ':';
            *to++ = ':';
            at += 2;
        } else if (at[0] == '_' && at[1] == '$' && is_part_begin) {
            at++; /* what begins with an escape has this before it */
        } else {
            *to++ = *at++;
        }
    }
    *to = '\0';
}

/* How much of NAME is the function's: without ".cold" and ".cold.1", by which gcc names the part that is hardly run. */
static size_t length_without_cold(const char *name)
{
    static const char cold[] = ".cold";
    size_t length = strlen(name), end = length;
    while (end > 0 && name[end - 1] >= '0' && name[end - 1] <= '9') {
        end--;
    }
    end = end < length && end > 0 && name[end - 1] == '.' ? end - 1 : length;
    bool is_cold = end >= sizeof cold && strncmp(name + end - (sizeof cold - 1), cold, sizeof cold - 1) == 0;
    return is_cold ? end - (sizeof cold - 1) : length;
}

static char *demangle(const char *name)
{
    int status = 0;
    char *plain = tm_demangle_rust_v0(name);
    if (plain != NULL) {
        return plain;
    }
    if (name[0] == '_' && name[1] == 'Z' && find_function() != NULL) {
        plain = find_function()(name, NULL, NULL, &status);
    }
    if (plain == NULL) {
        return strdup(name);
    }
    tm_demangle_rust(plain);
    return plain;
}

char *tm_demangle(const char *name)
{
    char *whole = strndup(name, length_without_cold(name));
    char *plain = whole != NULL ? demangle(whole) : NULL;
    free(whole);
    return plain;
}
