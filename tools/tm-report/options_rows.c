/* SPDX-License-Identifier: MIT */
/* Options that say what a row is, how many there are, and which figure they show. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size_value.h"
#include "tools/tm-report/option_groups.h"

static const struct tm_word group_words[] = {{"filename", TM_KEY_FILENAME},
                                             {"lineno", TM_KEY_LINENO},
                                             {"traceback", TM_KEY_TRACEBACK},
                                             {"function", TM_KEY_FUNCTION},
                                             {"module", TM_KEY_MODULE},
                                             {"domain", TM_KEY_DOMAIN},
                                             {NULL, 0}};
static const struct tm_word sort_words[] = {{"size", TM_SORT_SIZE},
                                            {"count", TM_SORT_COUNT},
                                            {"average", TM_SORT_AVERAGE},
                                            {"diff", TM_SORT_DIFFERENCE},
                                            {"count-diff", TM_SORT_COUNT_DIFFERENCE},
                                            {"location", TM_SORT_LOCATION},
                                            {NULL, 0}};
static const struct tm_word figure_words[] = {{"live", TM_ASKED_LIVE},
                                              {"peak", TM_ASKED_PEAK},
                                              {"ever", TM_ASKED_EVER},
                                              {"temporary", TM_ASKED_TEMPORARY},
                                              {NULL, 0}};

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
    const char *number = text + (text[0] == '-');
    size_t digits = strspn(number, "0123456789");
    if (digits == 0 || digits > 18 || number[digits] != '\0') {
        (void)fprintf(stderr, "tm-report: --limit is '%s', but is a number of rows (0: all; below 0: the last ones)\n",
                      text);
        return false;
    }
    size_t limit = (size_t)strtoull(number, NULL, 10);
    options->from_end = text[0] == '-';
    options->limit = limit > 0 ? limit : SIZE_MAX;
    options->limit_given = true;
    return true;
}

static bool take_sort(struct tm_options *options, const struct tm_option *option, const char *text)
{
    int value = 0;
    bool good = tm_word_parse(option->name, option->words, text, &value);
    options->sort = (enum tm_sort)value;
    options->sort_given = true;
    return good;
}

static bool take_min_size(struct tm_options *options, const struct tm_option *option, const char *text)
{
    if (tm_size_value(text, &options->min_size)) {
        return true;
    }
    (void)fprintf(stderr, "tm-report: --%s is '%s', but is a size like 512KiB, 10MiB or 1GiB\n", option->name, text);
    return false;
}

static bool take_min_count(struct tm_options *options, const struct tm_option *option, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || text[digits] != '\0') {
        (void)fprintf(stderr, "tm-report: --%s is '%s', but is a number of blocks\n", option->name, text);
        return false;
    }
    options->min_count = strtoull(text, NULL, 10);
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
    {'g', "group-by", "KEY", group_words,
     "filename, lineno (default), traceback, function, module (a Python package, the folder of a program's own files, "
     "a native module) or domain; filename and lineno are of the most recent Python frame, where there is one",
     take_group_by},
    {'c', "cumulative", NULL, NULL, "count a trace for every frame of its traceback, once for each KEY",
     take_cumulative},
    {'\0', "stdlib-cumulative", NULL, NULL,
     "the same, once for each frame, as Python's tracemalloc does: recursion counts again", take_stdlib_cumulative},
};
TM_OPTION_GROUP(tm_grouping_options, "Rows", grouping);

static const struct tm_option limit[] = {
    {'n', "limit", "N", NULL, "show N rows (default 10; JSON and export: all); 0 shows all, -N those at the other end",
     take_limit},
};
TM_OPTION_GROUP(tm_limit_options, "Rows", limit);

static const struct tm_option order[] = {
    {'s', "sort", "COLUMN", sort_words,
     "size (default), count, average, location; of a diff also diff (default) and count-diff: the largest change first",
     take_sort},
    {'\0', "min-size", "SIZE", NULL,
     "leave out rows of less than SIZE (512KiB, 10MiB), of a diff those that changed by less; totals stay",
     take_min_size},
    {'\0', "min-count", "N", NULL, "the same by the number of blocks", take_min_count},
};
TM_OPTION_GROUP(tm_order_options, "Rows", order);

static const struct tm_option figure[] = {
    {'f', "figure", "FIGURE", figure_words,
     "live: what is allocated now (default); peak: what was when traced memory was at its highest; ever: everything "
     "since the start, freed or not; temporary: what was freed before its thread's next allocation, most blocks first "
     "(bytes are estimated)",
     take_figure},
};
TM_OPTION_GROUP(tm_figure_options, "Rows", figure);
