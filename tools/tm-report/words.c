/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/words.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static void print_choices(const struct tm_word *words)
{
    for (size_t i = 0; words[i].word != NULL; i++) {
        const char *separator = i == 0 ? "" : words[i + 1].word == NULL ? " or " : ", ";
        (void)fprintf(stderr, "%s%s", separator, words[i].word);
    }
    (void)fputc('\n', stderr);
}

bool tm_word_parse(const char *name, const struct tm_word *words, const char *text, int *value)
{
    for (const struct tm_word *word = words; word->word != NULL; word++) {
        if (strcmp(word->word, text) == 0) {
            *value = word->value;
            return true;
        }
    }
    (void)fprintf(stderr, "tm-report: --%s is '%s', but can be ", name, text);
    print_choices(words);
    return false;
}
