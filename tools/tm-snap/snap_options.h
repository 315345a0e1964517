/* SPDX-License-Identifier: MIT */
/* The arguments of tm-snap. */
#ifndef TM_TOOLS_TM_SNAP_SNAP_OPTIONS_H
#define TM_TOOLS_TM_SNAP_SNAP_OPTIONS_H

#include <stdint.h>

#include "base/compiler.h"

enum tm_snap_action {
    TM_SNAP_TAKE,
    TM_SNAP_LIST,
    TM_SNAP_COLLECT,
    TM_SNAP_EXIT_DONE,   /* help or version was printed */
    TM_SNAP_EXIT_MISUSED /* one line was printed to stderr */
};

struct tm_snap_options {
    enum tm_snap_action action;
    const char *target;   /* of TAKE: a pid or the path of a store */
    const char *output;   /* a pattern; NULL: the default one */
    uint64_t every_s;     /* seconds; 0: once */
    uint64_t count;       /* snapshots with every_s; UINT64_MAX: until the process ends */
    char *const *folders; /* of COLLECT, NULL at the end; none: here */
};

void tm_snap_options_parse(struct tm_snap_options *options, int count, char **arguments);

#endif
