/* SPDX-License-Identifier: MIT */
/* The doors of exec.  Each may be called in a child of vfork, so what is made lies on the stack or in pages that are
 * given back (os/lent_pages.h). */
#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <unistd.h>

#include "runtime/hook/door.h"
#include "runtime/hook/exec_environment.h"
#include "runtime/hook/real_libc.h"

#define NEED(name)                                                                                                     \
    if (tm_real.name == NULL) {                                                                                        \
        tm_real_libc_resolve();                                                                                        \
    }

/* CALL with the variable `environment`, which is made of GIVEN.  Where it is IS_TOO_LONG now, of the variable `result`,
 * although GIVEN may not be, CALL comes again with that. */
#define WITH_ENVIRONMENT(given, call, is_too_long)                                                                     \
    struct tm_exec_environment room;                                                                                   \
    size_t word_count = tm_exec_environment_count(given);                                                              \
    char *words[word_count <= TM_EXEC_WORDS ? word_count : 1];                                                         \
    char *const *environment = tm_doors_are_open ? tm_exec_environment(given, words, word_count, &room) : given;       \
    int result = call;                                                                                                 \
    if (environment != given) {                                                                                        \
        tm_exec_environment_end(&room);                                                                                \
        if (is_too_long) {                                                                                             \
            environment = given;                                                                                       \
            result = call;                                                                                             \
        }                                                                                                              \
    }                                                                                                                  \
    return result

#define EXEC_IS_TOO_LONG  (errno == E2BIG) /* it came back, so it failed */
#define SPAWN_IS_TOO_LONG (result == E2BIG)

TM_EXPORT int execve(const char *path, char *const arguments[], char *const given[])
{
    NEED(execve)
    WITH_ENVIRONMENT(given, tm_real.execve(path, arguments, environment), EXEC_IS_TOO_LONG);
}

TM_EXPORT int execv(const char *path, char *const arguments[])
{
    NEED(execve)
    WITH_ENVIRONMENT(environ, tm_real.execve(path, arguments, environment), EXEC_IS_TOO_LONG);
}

TM_EXPORT int execvpe(const char *file, char *const arguments[], char *const given[])
{
    NEED(execvpe)
    WITH_ENVIRONMENT(given, tm_real.execvpe(file, arguments, environment), EXEC_IS_TOO_LONG);
}

TM_EXPORT int execvp(const char *file, char *const arguments[])
{
    NEED(execvpe)
    WITH_ENVIRONMENT(environ, tm_real.execvpe(file, arguments, environment), EXEC_IS_TOO_LONG);
}

TM_EXPORT int fexecve(int descriptor, char *const arguments[], char *const given[])
{
    NEED(fexecve)
    WITH_ENVIRONMENT(given, tm_real.fexecve(descriptor, arguments, environment), EXEC_IS_TOO_LONG);
}

TM_EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                          const posix_spawnattr_t *attributes, char *const arguments[], char *const given[])
{
    NEED(posix_spawn)
    WITH_ENVIRONMENT(given, tm_real.posix_spawn(pid, path, actions, attributes, arguments, environment),
                     SPAWN_IS_TOO_LONG);
}

TM_EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                           const posix_spawnattr_t *attributes, char *const arguments[], char *const given[])
{
    NEED(posix_spawnp)
    WITH_ENVIRONMENT(given, tm_real.posix_spawnp(pid, file, actions, attributes, arguments, environment),
                     SPAWN_IS_TOO_LONG);
}

/* The words from FIRST to NULL, that one counted. */
static size_t count_words(const char *first, va_list rest)
{
    size_t count = 1;
    for (const char *word = first; word != NULL; word = va_arg(rest, const char *)) {
        count++;
    }
    return count;
}

/* REST is left behind the NULL. */
#define COPY_WORDS(to, first, rest)                                                                                    \
    for (size_t copied = 0; ((to)[copied] = copied == 0 ? (char *)(uintptr_t)(first) : va_arg(rest, char *)) != NULL;  \
         copied++) {                                                                                                   \
    }

#define LISTED(first)                                                                                                  \
    va_list rest;                                                                                                      \
    va_start(rest, first);                                                                                             \
    size_t count = count_words(first, rest);                                                                           \
    va_end(rest);                                                                                                      \
    char *arguments[count];                                                                                            \
    va_start(rest, first);                                                                                             \
    COPY_WORDS(arguments, first, rest)

TM_EXPORT int execl(const char *path, const char *first, ...)
{
    LISTED(first)
    va_end(rest);
    return execv(path, arguments);
}

TM_EXPORT int execlp(const char *file, const char *first, ...)
{
    LISTED(first)
    va_end(rest);
    return execvp(file, arguments);
}

TM_EXPORT int execle(const char *path, const char *first, ...)
{
    LISTED(first)
    char *const *given = va_arg(rest, char *const *);
    va_end(rest);
    return execve(path, arguments, given);
}
