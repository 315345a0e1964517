/* SPDX-License-Identifier: MIT */
/* Options about source files and about the frames of tracebacks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tm-report/option_groups.h"

static bool take_no_source(struct tm_options *options, const struct tm_option *option, const char *text)
{
    (void)option;
    (void)text;
    options->no_source = true;
    return true;
}

static bool take_source_root(struct tm_options *options, const struct tm_option *option, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        (void)fprintf(stderr, "tm-report: --%s is '%s', but is OLD=NEW\n", option->name, text);
        return false;
    }
    struct tm_source_root *roots = realloc(options->roots, (options->root_count + 1) * sizeof *roots);
    if (roots == NULL) {
        (void)fputs("tm-report: out of memory\n", stderr);
        return false;
    }
    options->roots = roots;
    roots[options->root_count++] = (struct tm_source_root){text, (size_t)(equals - text), equals + 1};
    return true;
}

static bool take_no_symbols(struct tm_options *options, const struct tm_option *option, const char *text)
{
    (void)option;
    (void)text;
    options->no_symbols = true;
    return true;
}

static bool take_debug_dir(struct tm_options *options, const struct tm_option *option, const char *text)
{
    (void)option;
    options->debug_dir = text;
    return true;
}

static bool take_frames(struct tm_options *options, const struct tm_option *option, const char *text)
{
    const char *number = text + (text[0] == '-');
    size_t digits = strspn(number, "0123456789");
    if (digits == 0 || digits > 6 || number[digits] != '\0') {
        (void)fprintf(stderr, "tm-report: --%s is '%s', but is a number of frames (0: all; below 0: the oldest ones)\n",
                      option->name, text);
        return false;
    }
    options->frame_limit = strtol(text, NULL, 10);
    return true;
}

static bool take_recent_first(struct tm_options *options, const struct tm_option *option, const char *text)
{
    (void)option;
    (void)text;
    options->most_recent_first = true;
    return true;
}

static const struct tm_option source[] = {
    {'\0', "no-source", NULL, NULL, "without lines of source files", take_no_source},
    {'\0', "source-root", "OLD=NEW", NULL,
     "look for source files whose names begin with OLD under NEW: of a program that ran on another machine",
     take_source_root},
};
TM_OPTION_GROUP(tm_source_options, "Source files", source);

static const struct tm_option symbol[] = {
    {'\0', "no-symbols", NULL, NULL, "leave machine frames without a name as library and address", take_no_symbols},
    {'\0', "debug-dir", "DIR", NULL, "look for separate debug files there instead of in /usr/lib/debug",
     take_debug_dir},
};
TM_OPTION_GROUP(tm_symbol_options, "Machine frames", symbol);

static const struct tm_option frame[] = {
    {'\0', "frames", "N", NULL, "show the N newest frames of each traceback, -N the oldest; 0 (default) shows all",
     take_frames},
    {'\0', "most-recent-first", NULL, NULL, "the newest frame of each traceback first", take_recent_first},
};
TM_OPTION_GROUP(tm_frame_options, "Frames", frame);
