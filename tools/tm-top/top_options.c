/* SPDX-License-Identifier: MIT */
#include "tools/tm-top/top_options.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/process/process_facts.h"

#define INTERVAL_MIN 0.1
#define INTERVAL_MAX 3600.0

enum long_only { OPTION_ONCE = 256 };

static const struct option long_options[] = {
    {"interval", required_argument, NULL, 'd'}, {"group-by", required_argument, NULL, 'g'},
    {"sort", required_argument, NULL, 's'},     {"cumulative", no_argument, NULL, 'c'},
    {"once", no_argument, NULL, OPTION_ONCE},   {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},        {NULL, 0, NULL, 0},
};

static const char usage[] =
    "usage: tm-top [options] PID      watches what a traced process holds, from outside\n"
    "\n"
    "  -d, --interval SECONDS   between two looks (default 2; 1 with --once)\n"
    "  -g, --group-by KEY       lineno (default), filename or traceback\n"
    "  -s, --sort COLUMN        size (default), growth or rate\n"
    "  -c, --cumulative         count a trace for every frame of its traceback\n"
    "      --once               two looks, one picture to standard output (COLUMNS and LINES give its size), and end\n"
    "  -h, --help               this text\n"
    "  -V, --version            the version\n"
    "\n"
    "GROWTH is what is live more than when the watching began; ALLOC/S is what was allocated, freed or not, between "
    "the\n"
    "last two looks.  Keys: q quits; s size, g growth, r rate; l lines, f files, t tracebacks; c cumulative; z: "
    "growth\n"
    "counts from now; space: look now.\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 misused.\n";

static void misuse(struct tm_top_options *options, const char *what, const char *value)
{
    (void)fprintf(stderr, "tm-top: %s%s; see --help\n", what, value);
    options->action = TM_TOP_EXIT_MISUSED;
}

static bool choose(const char *const *words, size_t count, const char *text, unsigned *chosen)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], text) == 0) {
            *chosen = (unsigned)i;
            return true;
        }
    }
    return false;
}

static void take_group(struct tm_top_options *options, const char *text)
{
    static const char *const words[] = {
        [TM_KEY_FILENAME] = "filename", [TM_KEY_LINENO] = "lineno", [TM_KEY_TRACEBACK] = "traceback"};
    unsigned chosen;
    if (!choose(words, TM_COUNT_OF(words), text, &chosen)) {
        misuse(options, "--group-by can be lineno, filename or traceback, not ", text);
        return;
    }
    options->group_by = (enum tm_key_type)chosen;
}

static void take_sort(struct tm_top_options *options, const char *text)
{
    static const char *const words[] = {
        [TM_LIVE_SORT_SIZE] = "size", [TM_LIVE_SORT_GROWTH] = "growth", [TM_LIVE_SORT_RATE] = "rate"};
    unsigned chosen;
    if (!choose(words, TM_COUNT_OF(words), text, &chosen)) {
        misuse(options, "--sort can be size, growth or rate, not ", text);
        return;
    }
    options->sort = (enum tm_live_sort)chosen;
}

static void take_interval(struct tm_top_options *options, const char *text)
{
    char *end;
    options->interval_s = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(options->interval_s) || options->interval_s < INTERVAL_MIN ||
        options->interval_s > INTERVAL_MAX) {
        misuse(options, "--interval takes seconds, 0.1 to 3600, not ", text);
    }
}

static void take_option(struct tm_top_options *options, int option, char **arguments)
{
    switch (option) {
    case 'd':
        take_interval(options, optarg);
        break;
    case 'g':
        take_group(options, optarg);
        break;
    case 's':
        take_sort(options, optarg);
        break;
    case 'c':
        options->cumulative = true;
        break;
    case OPTION_ONCE:
        options->once = true;
        break;
    case 'h':
        (void)fputs(usage, stdout);
        options->action = TM_TOP_EXIT_DONE;
        break;
    case 'V':
        (void)puts("tm-top (libtracemalloc) " TM_VERSION);
        options->action = TM_TOP_EXIT_DONE;
        break;
    case ':':
        misuse(options, "a value is needed for ", arguments[optind - 1]);
        break;
    default:
        misuse(options, "option not known: ", arguments[optind - 1]);
        break;
    }
}

void tm_top_options_parse(struct tm_top_options *options, int count, char **arguments)
{
    int option;
    *options = (struct tm_top_options){.group_by = TM_KEY_LINENO};
    opterr = 0;
    while (options->action == TM_TOP_WATCH &&
           (option = getopt_long(count, arguments, ":d:g:s:chV", long_options, NULL)) != -1) {
        take_option(options, option, arguments);
    }
    if (options->action != TM_TOP_WATCH) {
        return;
    }
    if (count - optind != 1) {
        misuse(options, "one process is needed (tm-snap --list shows them)", "");
    } else if (!tm_process_parse_pid(arguments[optind], &options->pid)) {
        misuse(options, "a pid is needed, not ", arguments[optind]);
    } else if (options->cumulative && options->group_by == TM_KEY_TRACEBACK) {
        misuse(options, "cumulative goes with --group-by filename or lineno", "");
    }
    if (options->interval_s <= 0) {
        options->interval_s = options->once ? 1 : 2;
    }
}
