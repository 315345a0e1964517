/* SPDX-License-Identifier: MIT */
/* The commands of tm-report: one cmd_X.c each. */
#ifndef TM_TOOLS_TM_REPORT_COMMAND_H
#define TM_TOOLS_TM_REPORT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/exit_code.h"
#include "tools/tm-report/option_groups.h"
#include "tools/tm-report/options.h"

#define TM_GROUPS_MAX   16U
#define TM_EXAMPLES_MAX 6U

struct tm_example {
    const char *line; /* what is typed behind `tm-report ` */
    const char *what;
};

struct tm_command {
    const char *name;
    const char *files;   /* what help calls its files */
    const char *summary; /* a clause */
    const char *words;   /* a paragraph for its help; may be NULL */
    unsigned files_min;
    unsigned files_max;
    const char *files_wrong; /* what is said when there are fewer or more */
    /* besides tm_common_options; up to the first NULL */
    const struct tm_option_group *groups[TM_GROUPS_MAX];
    struct tm_example examples[TM_EXAMPLES_MAX]; /* up to the first NULL */
    /* Looks at what does not go together and sets defaults.  False: one line was printed to stderr. */
    bool (*check)(struct tm_options *options);
    /* Prints one line to stderr when it fails. */
    enum tm_exit (*run)(const struct tm_options *options);
};

extern const struct tm_command tm_cmd_top;
extern const struct tm_command tm_cmd_diff;
extern const struct tm_command tm_cmd_series;
extern const struct tm_command tm_cmd_merge;
extern const struct tm_command tm_cmd_traceback;
extern const struct tm_command tm_cmd_tree;
extern const struct tm_command tm_cmd_blocks;
extern const struct tm_command tm_cmd_stats;
extern const struct tm_command tm_cmd_export;
extern const struct tm_command tm_cmd_html;
extern const struct tm_command tm_cmd_symbolize;

/* In the order of the help; NULL ends it. */
extern const struct tm_command *const tm_commands[];

/* NULL when there is none. */
const struct tm_command *tm_command_find(const char *name);

/* The command whose name is like WORD (a letter or two off, or its start); NULL when none is. */
const struct tm_command *tm_command_like(const char *word);

/* Does COMMAND take the options of GROUP? */
bool tm_command_takes(const struct tm_command *command, const struct tm_option_group *group);

/* A line on stderr that ends in where to read more; false. */
bool tm_misused(const struct tm_options *options, const char *words);

#endif
