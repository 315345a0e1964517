/* SPDX-License-Identifier: MIT */
/* Can a library be preloaded into a program?  Looked up before it is run, since ld.so says nothing or little. */
#ifndef TM_TOOLS_TM_RUN_PROGRAM_KIND_H
#define TM_TOOLS_TM_RUN_PROGRAM_KIND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

enum tm_program_kind {
    TM_PROGRAM_TRACEABLE, /* or a script whose interpreter is, or what cannot be looked at: exec will say */
    TM_PROGRAM_STATIC,
    TM_PROGRAM_SETUID,  /* or with capabilities: ld.so takes no library from the environment */
    TM_PROGRAM_FOREIGN, /* 32 bits, or another machine */
    TM_PROGRAM_MUSL,    /* preloading would keep it from starting */
};

/* The file that execvp would run for WORD.  False when there is none. */
TM_CHECKED bool tm_program_find(const char *word, char *path, size_t capacity);

enum tm_program_kind tm_program_kind(const char *path);

#endif
