/* SPDX-License-Identifier: MIT */
/* The arguments of tm-top. */
#ifndef TM_TOOLS_TM_TOP_TOP_OPTIONS_H
#define TM_TOOLS_TM_TOP_TOP_OPTIONS_H

#include <stdbool.h>
#include <sys/types.h>

#include "report/stat/live_rows.h"

enum tm_top_action { TM_TOP_WATCH, TM_TOP_EXIT_DONE, TM_TOP_EXIT_MISUSED };

struct tm_top_options {
    enum tm_top_action action;
    pid_t pid;
    double interval_s; /* seconds between two looks */
    bool once;
    enum tm_key_type group_by;
    enum tm_live_sort sort;
    bool cumulative;
};

void tm_top_options_parse(struct tm_top_options *options, int count, char **arguments);

#endif
