/* SPDX-License-Identifier: MIT */
/* The options of tm-report in the groups that commands share: parsing, help, manual pages and completions are all made
 * from these rows. */
#ifndef TM_TOOLS_TM_REPORT_OPTION_GROUPS_H
#define TM_TOOLS_TM_REPORT_OPTION_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "tools/tm-report/options.h"
#include "tools/tm-report/words.h"

struct tm_option {
    char letter; /* '\0': none */
    const char *name;
    const char *value;           /* what help calls its value; NULL: it takes none */
    const struct tm_word *words; /* all values that there are; NULL: others too */
    const char *help;            /* a clause in one line, of any length */
    /* TEXT is NULL for an option without a value.  False: one line was printed to stderr. */
    bool (*take)(struct tm_options *options, const struct tm_option *option, const char *text);
};

struct tm_option_group {
    const char *title; /* of the help; groups that follow each other may share it */
    const struct tm_option *options;
    size_t count;
};

extern const struct tm_option_group tm_grouping_options; /* which traces are one row */
extern const struct tm_option_group tm_block_options;    /* which single blocks */
extern const struct tm_option_group tm_limit_options;    /* how many rows */
extern const struct tm_option_group tm_order_options;    /* which first */
extern const struct tm_option_group tm_figure_options;
extern const struct tm_option_group tm_filter_options; /* which traces count */
extern const struct tm_option_group tm_fork_options;
extern const struct tm_option_group tm_style_options; /* whose words */
extern const struct tm_option_group tm_look_options;  /* of what is printed for people */
extern const struct tm_option_group tm_format_options;
extern const struct tm_option_group tm_to_options;
extern const struct tm_option_group tm_column_options; /* of tables */
extern const struct tm_option_group tm_source_options;
extern const struct tm_option_group tm_symbol_options; /* of machine frames */
extern const struct tm_option_group tm_frame_options;  /* of tracebacks */
extern const struct tm_option_group tm_limits_options; /* --fail-if-... */
extern const struct tm_option_group tm_growth_options; /* the same of two snapshots */
extern const struct tm_option_group tm_common_options; /* of every command */

/* All of them, in the order of the help; NULL ends it. */
extern const struct tm_option_group *const tm_option_groups[];

#define TM_OPTION_GROUP(name, heading, rows)                                                                           \
    const struct tm_option_group name = {.title = heading, .options = rows, .count = TM_COUNT_OF(rows)}

#endif
