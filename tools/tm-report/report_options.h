/* SPDX-License-Identifier: MIT */
/* The arguments of tm-report. */
#ifndef TM_TOOLS_TM_REPORT_REPORT_OPTIONS_H
#define TM_TOOLS_TM_REPORT_REPORT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/exit_code.h"
#include "report/render/render_limits.h"
#include "report/stat/group.h"
#include "report/stat/trace_filter.h"

enum tm_command {
    TM_COMMAND_NONE, /* by the number of files: top or diff */
    TM_COMMAND_TOP,
    TM_COMMAND_DIFF,
    TM_COMMAND_TRACEBACK,
    TM_COMMAND_STATS,
    TM_COMMAND_EXPORT,
    TM_COMMAND_HTML
};

enum tm_style { TM_STYLE_PEOPLE, TM_STYLE_TRACEMALLOC };

enum tm_asked_figure { TM_ASKED_DEFAULT, TM_ASKED_LIVE, TM_ASKED_PEAK, TM_ASKED_EVER };

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

struct tm_options {
    enum tm_command command; /* never NONE once parsed */
    const char *paths[TM_SNAPSHOTS_MAX];
    unsigned path_count;
    const char *const *files; /* all that were given; html takes more than two, others have them in PATHS too */
    unsigned file_count;
    bool no_source;
    enum tm_key_type group_by;
    bool group_by_given;
    enum tm_cumulative cumulative;
    size_t limit; /* SIZE_MAX: all */
    bool limit_given;
    enum tm_asked_figure figure;
    uint32_t domains;          /* 0: not said */
    struct tm_filter *filters; /* malloc'ed */
    size_t filter_count;
    enum tm_style style;
    bool json;
    enum tm_export to; /* NONE for every command but export */
    enum tm_color color;
    const char *output; /* NULL: standard output */
    bool all;
    struct tm_limits limits;
    bool limits_given;
};

/* What to do after parsing. */
enum tm_parsed {
    TM_PARSED_RUN,
    TM_PARSED_EXIT_DONE,   /* help or version was printed */
    TM_PARSED_EXIT_MISUSED /* one line was printed to stderr */
};

/* OPTIONS is freed with tm_options_free in any case. */
TM_CHECKED enum tm_parsed tm_options_parse(struct tm_options *options, int count, char **arguments);
void tm_options_free(struct tm_options *options);

#endif
