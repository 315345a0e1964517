/* SPDX-License-Identifier: MIT */
/* What --help says; made from the tables of commands and options. */
#ifndef TM_TOOLS_TM_REPORT_HELP_TEXT_H
#define TM_TOOLS_TM_REPORT_HELP_TEXT_H

#include <stdio.h>

#include "tools/tm-report/command.h"

/* The commands in a line each. */
void tm_help_usage(FILE *stream);

/* COMMAND NULL: tm-report as a whole, with all options. */
void tm_help(FILE *stream, const struct tm_command *command);

#endif
