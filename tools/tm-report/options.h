/* SPDX-License-Identifier: MIT */
/* What a command line of tm-report asks for. */
#ifndef TM_TOOLS_TM_REPORT_OPTIONS_H
#define TM_TOOLS_TM_REPORT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "report/render/render_limits.h"
#include "report/render/source_line.h"
#include "report/stat/group.h"
#include "report/stat/trace_filter.h"

struct tm_command;

enum tm_style { TM_STYLE_PEOPLE, TM_STYLE_TRACEMALLOC };

enum tm_asked_figure { TM_ASKED_DEFAULT, TM_ASKED_LIVE, TM_ASKED_PEAK, TM_ASKED_EVER, TM_ASKED_TEMPORARY };

/* Formats of other programs. */
enum tm_export {
    TM_EXPORT_NONE,
    TM_EXPORT_JSON,
    TM_EXPORT_CSV,
    TM_EXPORT_FOLDED,
    TM_EXPORT_SPEEDSCOPE,
    TM_EXPORT_PPROF,
    TM_EXPORT_PICKLE
};

enum tm_color { TM_COLOR_AUTO, TM_COLOR_ALWAYS, TM_COLOR_NEVER };

/* What is installed beside the program. */
enum tm_print { TM_PRINT_NOTHING, TM_PRINT_MANUAL, TM_PRINT_BASH, TM_PRINT_ZSH, TM_PRINT_FISH };

struct tm_options {
    enum tm_print printed;            /* and nothing else is done */
    const struct tm_command *command; /* not NULL once parsed */
    bool command_implied;             /* by the number of files */
    const char **files;               /* the arguments that are left */
    unsigned file_count;
    bool no_source;
    bool no_symbols;
    const char *debug_dir; /* NULL: the usual ones */
    enum tm_key_type group_by;
    bool group_by_given;
    enum tm_cumulative cumulative;
    enum tm_sort sort;
    bool sort_given;
    uint64_t min_size;
    uint64_t min_count;
    size_t limit;  /* SIZE_MAX: all */
    bool from_end; /* the smallest rows, not the largest */
    bool limit_given;
    uint64_t block; /* the address that one block is asked for by */
    bool block_given;
    bool largest; /* blocks in order of size */
    enum tm_asked_figure figure;
    uint32_t domains;          /* 0: not said */
    struct tm_filter *filters; /* malloc'ed */
    size_t filter_count;
    bool since_fork; /* what was inherited does not count */
    enum tm_style style;
    bool json;
    enum tm_export to; /* NONE for every command but export */
    enum tm_color color;
    const char *output; /* NULL: standard output */
    bool all;
    unsigned hidden; /* columns: bits of enum tm_hidden */
    unsigned path_parts;
    struct tm_source_root *roots; /* malloc'ed */
    size_t root_count;
    long frame_limit; /* of each traceback; below 0: the oldest ones */
    bool most_recent_first;
    struct tm_limits limits;
    bool limits_given;
};

#endif
