/* SPDX-License-Identifier: MIT */
/* Values of options that are one of a few words. */
#ifndef TM_TOOLS_TM_REPORT_WORDS_H
#define TM_TOOLS_TM_REPORT_WORDS_H

#include <stdbool.h>

#include "base/compiler.h"

/* A word and what it stands for; a list ends with a NULL. */
struct tm_word {
    const char *word;
    int value;
};

/* The value of one of WORDS; else false, and a line on stderr that says what --NAME can be. */
TM_CHECKED bool tm_word_parse(const char *name, const struct tm_word *words, const char *text, int *value);

#endif
