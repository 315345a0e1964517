/* SPDX-License-Identifier: MIT */
/* Options that say how a report looks, and where it goes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tm-report/option_groups.h"

static const struct tm_word style_words[] = {
    {"people", TM_STYLE_PEOPLE}, {"tracemalloc", TM_STYLE_TRACEMALLOC}, {NULL, 0}};
static const struct tm_word format_words[] = {{"text", false}, {"json", true}, {NULL, 0}};
static const struct tm_word color_words[] = {
    {"auto", TM_COLOR_AUTO}, {"always", TM_COLOR_ALWAYS}, {"never", TM_COLOR_NEVER}, {NULL, 0}};
static const struct tm_word print_words[] = {
    {"man", TM_PRINT_MANUAL}, {"bash", TM_PRINT_BASH}, {"zsh", TM_PRINT_ZSH}, {"fish", TM_PRINT_FISH}, {NULL, 0}};
static const struct tm_word export_words[] = {{"json", TM_EXPORT_JSON},
                                              {"csv", TM_EXPORT_CSV},
                                              {"folded", TM_EXPORT_FOLDED},
                                              {"speedscope", TM_EXPORT_SPEEDSCOPE},
                                              {"pprof", TM_EXPORT_PPROF},
                                              {"pickle", TM_EXPORT_PICKLE},
                                              {NULL, 0}};

static bool take_style(struct tm_options *options, const struct tm_option *option, const char *text)
{
    int value = 0;
    bool good = tm_word_parse(option->name, option->words, text, &value);
    options->style = (enum tm_style)value;
    return good;
}

static bool take_format(struct tm_options *options, const struct tm_option *option, const char *text)
{
    int value = 0;
    bool good = tm_word_parse(option->name, option->words, text, &value);
    options->json = value != 0;
    return good;
}

static bool take_color(struct tm_options *options, const struct tm_option *option, const char *text)
{
    int value = 0;
    bool good = tm_word_parse(option->name, option->words, text, &value);
    options->color = (enum tm_color)value;
    return good;
}

static bool take_no_color(struct tm_options *options, const struct tm_option *option, const char *text)
{
    (void)option;
    (void)text;
    options->color = TM_COLOR_NEVER;
    return true;
}

static bool take_path_parts(struct tm_options *options, const struct tm_option *option, const char *text)
{
    size_t digits = strspn(text, "0123456789");
    options->path_parts = digits > 0 && digits < 6 && text[digits] == '\0' ? (unsigned)strtoul(text, NULL, 10) : 0;
    if (options->path_parts > 0) {
        return true;
    }
    (void)fprintf(stderr, "tm-report: --%s is '%s', but is a number of parts, at least 1\n", option->name, text);
    return false;
}

/* The letter says which column. */
static bool take_hidden(struct tm_options *options, const struct tm_option *option, const char *text)
{
    (void)text;
    options->hidden |= option->letter == 'S' ? TM_HIDE_SIZE : option->letter == 'C' ? TM_HIDE_COUNT : TM_HIDE_AVERAGE;
    return true;
}

static bool take_to(struct tm_options *options, const struct tm_option *option, const char *text)
{
    int value = 0;
    bool good = tm_word_parse(option->name, option->words, text, &value);
    options->to = (enum tm_export)value;
    return good;
}

static bool take_all(struct tm_options *options, const struct tm_option *option, const char *text)
{
    (void)option;
    (void)text;
    options->all = true;
    return true;
}

static bool take_output(struct tm_options *options, const struct tm_option *option, const char *text)
{
    (void)option;
    options->output = text;
    return true;
}

static const struct tm_option style[] = {
    {'\0', "style", "STYLE", style_words, "people (default) or tracemalloc: the lines of Python's own module",
     take_style},
};
TM_OPTION_GROUP(tm_style_options, "Report", style);

static const struct tm_option look[] = {
    {'\0', "all", NULL, NULL,
     "fold nothing and leave nothing out: imports and start-up, rows without a difference, small calls", take_all},
    {'\0', "color", "WHEN", color_words, "auto (default), always, never; NO_COLOR is honoured", take_color},
    {'\0', "no-color", NULL, NULL, "as --color never", take_no_color},
    {'P', "path-parts", "N", NULL, "show the last N parts of paths only", take_path_parts},
};
TM_OPTION_GROUP(tm_look_options, "Report", look);

static const struct tm_option column[] = {
    {'S', "no-size", NULL, NULL, "without the columns of sizes", take_hidden},
    {'C', "no-count", NULL, NULL, "without the columns of counts", take_hidden},
    {'A', "no-average", NULL, NULL, "without the column of averages", take_hidden},
};
TM_OPTION_GROUP(tm_column_options, "Report", column);

static const struct tm_option format[] = {
    {'\0', "format", "FORMAT", format_words, "text (default) or json", take_format},
};
TM_OPTION_GROUP(tm_format_options, "Report", format);

static const struct tm_option to[] = {
    {'\0', "to", "FORMAT", export_words, "json or csv (also of OLD NEW), folded, speedscope, pprof, pickle", take_to},
};
TM_OPTION_GROUP(tm_to_options, "Report", to);

static bool take_print(struct tm_options *options, const struct tm_option *option, const char *text)
{
    int value = 0;
    bool good = tm_word_parse(option->name, option->words, text, &value);
    options->printed = (enum tm_print)value;
    return good;
}

/* Help and version are taken by the parser itself. */
static const struct tm_option common[] = {
    {'o', "output", "FILE", NULL, "write there instead of to standard output (-): whole, or not at all", take_output},
    {'\0', "print", "WHAT", print_words, "the manual page, or the completions of a shell: man, bash, zsh or fish",
     take_print},
    {'h', "help", NULL, NULL, "this text; with a command, about it", NULL},
    {'V', "version", NULL, NULL, "the version", NULL},
};
TM_OPTION_GROUP(tm_common_options, "Everywhere", common);
