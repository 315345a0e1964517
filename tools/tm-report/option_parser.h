/* SPDX-License-Identifier: MIT */
/* From arguments to what they ask for. */
#ifndef TM_TOOLS_TM_REPORT_OPTION_PARSER_H
#define TM_TOOLS_TM_REPORT_OPTION_PARSER_H

#include "base/compiler.h"
#include "tools/tm-report/options.h"

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
