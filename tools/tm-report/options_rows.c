/* SPDX-License-Identifier: MIT */
/* Options that say what a row is, how many there are, and which figure they show. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tm-report/option_groups.h"

static const struct tm_word group_words[] = {
    {"filename", TM_KEY_FILENAME}, {"lineno", TM_KEY_LINENO}, {"traceback", TM_KEY_TRACEBACK}, {NULL, 0}};
static const struct tm_word figure_words[] = {
    {"live", TM_ASKED_LIVE}, {"peak", TM_ASKED_PEAK}, {"ever", TM_ASKED_EVER}, {NULL, 0}};

static bool take_group_by(struct tm_options *options, const struct tm_option *option, const char *text)
{
    int value = 0;
    bool good = tm_word_parse(option->name, option->words, text, &value);
    options->group_by = (enum tm_key_type)value;
    options->group_by_given = true;
    return good;
}

static bool take_cumulative(struct tm_options *options, const struct tm_option *option, const char *text)
{
    (void)option;
    (void)text;
    options->cumulative = TM_CUMULATIVE_ONCE;
    return true;
}

static bool take_stdlib_cumulative(struct tm_options *options, const struct tm_option *option, const char *text)
{
    (void)option;
    (void)text;
    options->cumulative = TM_CUMULATIVE_STDLIB;
    return true;
}

static bool take_limit(struct tm_options *options, const struct tm_option *option, const char *text)
{
    (void)option;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || text[digits] != '\0') {
        (void)fprintf(stderr, "tm-report: --limit is '%s', but is a number of rows (0: all)\n", text);
        return false;
    }
    size_t limit = (size_t)strtoull(text, NULL, 10);
    options->limit = limit > 0 ? limit : SIZE_MAX;
    options->limit_given = true;
    return true;
}

static bool take_figure(struct tm_options *options, const struct tm_option *option, const char *text)
{
    int value = 0;
    bool good = tm_word_parse(option->name, option->words, text, &value);
    options->figure = (enum tm_asked_figure)value;
    return good;
}

static const struct tm_option grouping[] = {
    {'g', "group-by", "KEY", group_words, "filename, lineno (default) or traceback", take_group_by},
    {'c', "cumulative", NULL, NULL, "count a trace for every frame of its traceback, once for each KEY",
     take_cumulative},
    {'\0', "stdlib-cumulative", NULL, NULL,
     "the same, once for each frame, as Python's tracemalloc does: recursion counts again", take_stdlib_cumulative},
};
TM_OPTION_GROUP(tm_grouping_options, "Rows", grouping);

static const struct tm_option limit[] = {
    {'n', "limit", "N", NULL, "show N rows (default 10; JSON and export: all); 0 shows all", take_limit},
};
TM_OPTION_GROUP(tm_limit_options, "Rows", limit);

static const struct tm_option figure[] = {
    {'f', "figure", "FIGURE", figure_words,
     "live: what is allocated now (default); peak: what was when traced memory was at its highest; ever: everything "
     "since the start, freed or not",
     take_figure},
};
TM_OPTION_GROUP(tm_figure_options, "Rows", figure);
