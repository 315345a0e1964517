/* SPDX-License-Identifier: MIT */
/* The environment that a program gets which is run by exec: the caller's, with what track/origin.h hands on, or without
 * our library where FOLLOW is without exec.
 *
 * May run in a child of vfork, in its parent's memory: nothing is written but what the caller gives.
 * Threads  any.   Signals  safe.   errno  kept. */
#ifndef TM_RUNTIME_HOOK_EXEC_ENVIRONMENT_H
#define TM_RUNTIME_HOOK_EXEC_ENVIRONMENT_H

#include <stddef.h>

#define TM_EXEC_TEXT 1024U /* bytes; longer folders and lists are left as they are */

struct tm_exec_environment {
    char text[TM_EXEC_TEXT];
};

/* Words that the new environment needs: those of GIVEN, one more, and NULL; 1 when they are too many for a stack. */
size_t tm_exec_environment_room(char *const *given);

/* GIVEN, or WORDS (COUNT of them, as above) and ROOM filled with what the program is to get instead. */
char *const *tm_exec_environment(char *const *given, char **words, size_t count, struct tm_exec_environment *room);

#endif
