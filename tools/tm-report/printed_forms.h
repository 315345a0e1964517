/* SPDX-License-Identifier: MIT */
/* The tables of commands and options in the forms that are installed beside the program: a manual page and completions.
 * Errors are those of the stream. */
#ifndef TM_TOOLS_TM_REPORT_PRINTED_FORMS_H
#define TM_TOOLS_TM_REPORT_PRINTED_FORMS_H

#include <stdio.h>

#include "tools/tm-report/command.h"

/* For `man`. */
void tm_print_manual(FILE *stream);

/* For the completion systems of the three shells. */
void tm_print_bash(FILE *stream);
void tm_print_zsh(FILE *stream);
void tm_print_fish(FILE *stream);

#endif
