/* SPDX-License-Identifier: MIT */
/* Options that say how a report looks, and where it goes. */
#include <stddef.h>

#include "tools/tm-report/option_groups.h"

static const struct tm_word style_words[] = {
    {"people", TM_STYLE_PEOPLE}, {"tracemalloc", TM_STYLE_TRACEMALLOC}, {NULL, 0}};
static const struct tm_word format_words[] = {{"text", false}, {"json", true}, {NULL, 0}};
static const struct tm_word color_words[] = {
    {"auto", TM_COLOR_AUTO}, {"always", TM_COLOR_ALWAYS}, {"never", TM_COLOR_NEVER}, {NULL, 0}};
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

static bool take_no_source(struct tm_options *options, const struct tm_option *option, const char *text)
{
    (void)option;
    (void)text;
    options->no_source = true;
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
};
TM_OPTION_GROUP(tm_look_options, "Report", look);

static const struct tm_option format[] = {
    {'\0', "format", "FORMAT", format_words, "text (default) or json", take_format},
};
TM_OPTION_GROUP(tm_format_options, "Report", format);

static const struct tm_option to[] = {
    {'\0', "to", "FORMAT", export_words, "json or csv (also of OLD NEW), folded, speedscope, pprof, pickle", take_to},
};
TM_OPTION_GROUP(tm_to_options, "Report", to);

static const struct tm_option source[] = {
    {'\0', "no-source", NULL, NULL, "leave the source files out of the page", take_no_source},
};
TM_OPTION_GROUP(tm_source_options, "Report", source);

/* Help and version are taken by the parser itself. */
static const struct tm_option common[] = {
    {'o', "output", "FILE", NULL, "write there instead of to standard output (-): whole, or not at all", take_output},
    {'h', "help", NULL, NULL, "this text; with a command, about it", NULL},
    {'V', "version", NULL, NULL, "the version", NULL},
};
TM_OPTION_GROUP(tm_common_options, "Everywhere", common);
