/* SPDX-License-Identifier: MIT */
#include "tools/tm-snap/snap_options.h"

#include <getopt.h>
#include <stdio.h>

#include "base/text.h"
#include "base/time_value.h"
#include "tools/tm-snap/snap_name.h"

enum long_only { OPTION_EVERY = 256, OPTION_COUNT };

static const struct option long_options[] = {
    {"output", required_argument, NULL, 'o'},
    {"list", no_argument, NULL, 'l'},
    {"collect", no_argument, NULL, 'c'},
    {"every", required_argument, NULL, OPTION_EVERY},
    {"count", required_argument, NULL, OPTION_COUNT},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static const char usage[] =
    "usage: tm-snap PID|STORE [-o FILE]          a snapshot of a process, taken from outside\n"
    "       tm-snap --every 60s PID [-o FILE]    one now and after each 60 s (or min, h), until the process ends\n"
    "       tm-snap --list                       the traced processes that you may look into\n"
    "       tm-snap --collect [FOLDER...]        stores of dead processes become snapshots and are removed\n"
    "\n"
    "The process may run, be stopped or hang: nothing is asked of it.  It is read through its live store,\n"
    "tracemalloc.PID.live, which may also be given itself: the only way once the process is dead.\n"
    "\n"
    "  -o, --output FILE      the snapshot's name: %p is the pid, %n a four-digit number, the first that is free,\n"
    "                         %% a percent sign; - is standard output (default " TM_SNAP_NAME_DEFAULT ")\n"
    "      --every TIME       with %n put into FILE where it has none\n"
    "      --count N          with --every: N snapshots, then end\n"
    "  -l, --list\n"
    "  -c, --collect          looks into FOLDERs or here; what is in use by a process stays\n"
    "  -h, --help             this text\n"
    "  -V, --version          the version\n"
    "\n"
    "The names of the snapshots are printed.  Exit codes: 0 done, 1 failed, 2 misused.\n";

static void misuse(struct tm_snap_options *options, const char *what, const char *value)
{
    (void)fprintf(stderr, "tm-snap: %s%s; see --help\n", what, value);
    options->action = TM_SNAP_EXIT_MISUSED;
}

static void take_option(struct tm_snap_options *options, int option, char **arguments)
{
    switch (option) {
    case 'o':
        options->output = optarg;
        break;
    case 'l':
    case 'c':
        if (options->action == (option == 'l' ? TM_SNAP_COLLECT : TM_SNAP_LIST)) {
            misuse(options, "one of --list and --collect, not both", "");
        } else {
            options->action = option == 'l' ? TM_SNAP_LIST : TM_SNAP_COLLECT;
        }
        break;
    case OPTION_EVERY:
        if (!tm_time_value(optarg, &options->every_s)) {
            misuse(options, "--every takes a time, 60s, 5min or 2h, not ", optarg);
        }
        break;
    case OPTION_COUNT:
        if (!tm_text_to_unsigned(optarg, UINT32_MAX, &options->count) || options->count == 0) {
            misuse(options, "--count takes a number of snapshots, not ", optarg);
        }
        break;
    case 'h':
        (void)fputs(usage, stdout);
        options->action = TM_SNAP_EXIT_DONE;
        break;
    case 'V':
        (void)puts("tm-snap (libtracemalloc) " TM_VERSION);
        options->action = TM_SNAP_EXIT_DONE;
        break;
    case ':':
        misuse(options, "a value is needed for ", arguments[optind - 1]);
        break;
    default:
        misuse(options, "option not known: ", arguments[optind - 1]);
        break;
    }
}

/* What would not be heeded. */
static void check_pairs(struct tm_snap_options *options)
{
    if (options->count != UINT64_MAX && options->every_s == 0) {
        misuse(options, "--count goes with --every", "");
    } else if (options->action != TM_SNAP_TAKE && (options->every_s != 0 || options->output != NULL)) {
        misuse(options, options->every_s != 0 ? "--every" : "--output",
               options->action == TM_SNAP_LIST ? " does not go with --list" : " does not go with --collect");
    }
}

static void check_words(struct tm_snap_options *options, int words, char **rest)
{
    if (options->action == TM_SNAP_COLLECT) {
        options->folders = rest;
    } else if (options->action == TM_SNAP_LIST && words > 0) {
        misuse(options, "--list takes no process: ", rest[0]);
    } else if (options->action == TM_SNAP_TAKE && words != 1) {
        misuse(options, words == 0 ? "a process is needed" : "one process at a time: ", words == 0 ? "" : rest[1]);
    } else if (options->action == TM_SNAP_TAKE) {
        options->target = rest[0];
    }
    if (options->action == TM_SNAP_TAKE && options->output != NULL && !tm_snap_name_is_pattern(options->output)) {
        misuse(options, "%p, %n and %% are what a name may have: ", options->output);
    }
}

void tm_snap_options_parse(struct tm_snap_options *options, int count, char **arguments)
{
    int option;
    *options = (struct tm_snap_options){.action = TM_SNAP_TAKE, .count = UINT64_MAX};
    opterr = 0;
    while ((option = getopt_long(count, arguments, ":o:lchV", long_options, NULL)) != -1) {
        take_option(options, option, arguments);
        if (options->action == TM_SNAP_EXIT_DONE || options->action == TM_SNAP_EXIT_MISUSED) {
            return;
        }
    }
    check_pairs(options);
    if (options->action != TM_SNAP_EXIT_MISUSED) {
        check_words(options, count - optind, arguments + optind);
    }
}
