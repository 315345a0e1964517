/* SPDX-License-Identifier: MIT */
/* The arguments of tm-run.  Each option of the library is a flag that sets its variable for the program. */
#ifndef TM_TOOLS_TM_RUN_RUN_OPTIONS_H
#define TM_TOOLS_TM_RUN_RUN_OPTIONS_H

#include <stdbool.h>

#include "base/compiler.h"

/* Frames per traceback where nothing else is said: they cost little and make every report useful. */
#define TM_RUN_NFRAME "25"

enum tm_run_action {
    TM_RUN_PROGRAM,
    TM_RUN_PRINT_HELP,
    TM_RUN_PRINT_VERSION,
    TM_RUN_PRINT_LIBRARY,
    TM_RUN_MISUSED, /* one line was printed to stderr */
};

struct tm_run_options {
    enum tm_run_action action;
    bool is_python;   /* the words are python3's own */
    char *const *run; /* the program and its arguments, NULL at the end; points into argv */
};

/* Reads ARGUMENTS and sets the variables TRACEMALLOC_* of this process as the flags say. */
void tm_run_options_parse(struct tm_run_options *options, char **arguments);

/* What --help says, to standard output. */
void tm_run_print_help(void);

#endif
