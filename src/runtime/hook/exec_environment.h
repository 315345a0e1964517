/* SPDX-License-Identifier: MIT */
/* The environment that a program gets which is run by exec: the caller's, with what track/origin.h hands on, or without
 * our library where FOLLOW is without exec.
 *
 * May run in a child of vfork, in its parent's memory: nothing is written but what the caller gives, and pages for an
 * environment that is too long for a stack.
 * Threads  any.   Signals  safe.   errno  kept. */
#ifndef TM_RUNTIME_HOOK_EXEC_ENVIRONMENT_H
#define TM_RUNTIME_HOOK_EXEC_ENVIRONMENT_H

#include <stddef.h>

#include "runtime/os/lent_pages.h"

#define TM_EXEC_TEXT  1024U /* bytes; longer folders and lists are left as they are */
#define TM_EXEC_WORDS 2048U /* that may lie on a stack, which may be small */

struct tm_exec_environment {
    char text[TM_EXEC_TEXT];
    struct tm_lent_pages pages; /* of the words, where they are more than TM_EXEC_WORDS */
};

/* Words that the new environment needs: those of GIVEN, one more, and NULL. */
size_t tm_exec_environment_count(char *const *given);

/* What the program is to get, COUNT words at most: GIVEN, or else WORDS (room for TM_EXEC_WORDS of them, or COUNT where
 * that is less) or pages, with ROOM filled.  ROOM goes to _end when the call has come back, whatever was given. */
char *const *tm_exec_environment(char *const *given, char **words, size_t count, struct tm_exec_environment *room);
void tm_exec_environment_end(const struct tm_exec_environment *room);

#endif
