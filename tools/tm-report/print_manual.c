/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/printed_forms.h"

#include <string.h>

/* TEXT as roff prints it: `-` is a minus and no hyphen, a backslash is one, nothing at the start of a line is a
 * request. */
static void print_text(FILE *stream, const char *text)
{
    if (*text == '.' || *text == '\'') {
        (void)fputs("\\&", stream);
    }
    for (; *text != '\0'; text++) {
        if (*text == '-') {
            (void)fputs("\\-", stream);
        } else if (*text == '\\') {
            (void)fputs("\\e", stream);
        } else if (*text == '\'') {
            (void)fputs("\\(aq", stream);
        } else if (*text == '~') {
            (void)fputs("\\(ti", stream);
        } else {
            (void)fputc(*text, stream);
        }
    }
}

static void print_line(FILE *stream, const char *text)
{
    print_text(stream, text);
    (void)fputc('\n', stream);
}

static void print_synopsis(FILE *stream)
{
    (void)fputs(".SH SYNOPSIS\n", stream);
    for (size_t i = 0; tm_commands[i] != NULL; i++) {
        (void)fprintf(stream, "%s\\fBtm\\-report %s\\fR [options] ", i > 0 ? ".br\n" : "", tm_commands[i]->name);
        print_line(stream, tm_commands[i]->files);
    }
}

static void print_commands(FILE *stream)
{
    (void)fputs(".SH COMMANDS\nOne snapshot alone means top, two diff, more series.\n", stream);
    for (size_t i = 0; tm_commands[i] != NULL; i++) {
        const struct tm_command *command = tm_commands[i];
        (void)fprintf(stream, ".TP\n\\fB%s\\fR ", command->name);
        print_line(stream, command->files);
        print_text(stream, command->summary);
        (void)fputs(command->words != NULL ? ".\n" : "\n", stream);
        if (command->words != NULL) {
            print_line(stream, command->words);
        }
    }
}

static void print_takers(FILE *stream, const struct tm_option_group *group)
{
    if (group == &tm_common_options) {
        return;
    }
    (void)fputs(" (of", stream);
    const char *separator = " ";
    for (size_t i = 0; tm_commands[i] != NULL; i++) {
        if (tm_command_takes(tm_commands[i], group)) {
            (void)fprintf(stream, "%s%s", separator, tm_commands[i]->name);
            separator = ", ";
        }
    }
    (void)fputc(')', stream);
}

static void print_option(FILE *stream, const struct tm_option_group *group, const struct tm_option *option)
{
    (void)fputs(".TP\n", stream);
    if (option->letter != '\0') {
        (void)fprintf(stream, "\\fB\\-%c\\fR, ", option->letter);
    }
    (void)fputs("\\fB\\-\\-", stream);
    print_text(stream, option->name);
    (void)fputs("\\fR", stream);
    if (option->value != NULL) {
        (void)fprintf(stream, " \\fI%s\\fR", option->value);
    }
    (void)fputc('\n', stream);
    print_text(stream, option->help);
    print_takers(stream, group);
    (void)fputc('\n', stream);
}

static void print_options(FILE *stream)
{
    (void)fputs(".SH OPTIONS\n", stream);
    for (size_t g = 0; tm_option_groups[g] != NULL; g++) {
        const struct tm_option_group *group = tm_option_groups[g];
        if (g == 0 || strcmp(tm_option_groups[g - 1]->title, group->title) != 0) {
            (void)fprintf(stream, ".SS %s\n", group->title);
        }
        for (size_t i = 0; i < group->count; i++) {
            print_option(stream, group, &group->options[i]);
        }
    }
}

static void print_examples(FILE *stream)
{
    (void)fputs(".SH EXAMPLES\n", stream);
    for (size_t i = 0; tm_commands[i] != NULL; i++) {
        for (size_t e = 0; e < TM_EXAMPLES_MAX && tm_commands[i]->examples[e].line != NULL; e++) {
            const struct tm_example *example = &tm_commands[i]->examples[e];
            (void)fputs(".PP\n", stream);
            if (example->what != NULL) {
                print_line(stream, example->what);
            }
            (void)fputs(".RS\n.nf\ntm\\-report ", stream);
            print_line(stream, example->line);
            (void)fputs(".fi\n.RE\n", stream);
        }
    }
}

void tm_print_manual(FILE *stream)
{
    (void)fputs(".TH TM\\-REPORT 1 \"\" \"libtracemalloc " TM_VERSION "\" \"User Commands\"\n"
                ".SH NAME\ntm\\-report \\- what a snapshot of libtracemalloc says\n",
                stream);
    print_synopsis(stream);
    (void)fputs(".SH DESCRIPTION\nReads snapshots, the files tracemalloc.PID.tms of programs run with "
                "LD_PRELOAD=libtracemalloc.so or by \\fBtm\\-run\\fR(1), and live stores, the files "
                "tracemalloc.PID.live; \\- is a snapshot from standard input.\n",
                stream);
    print_commands(stream);
    print_options(stream);
    print_examples(stream);
    (void)fputs(
        ".SH ENVIRONMENT\n.TP\nCOLUMNS\nthe width of the terminal, where it is exported\n"
        ".TP\nNO_COLOR\nset and not empty: no colours unless \\-\\-color always says so\n"
        ".TP\nLC_ALL, LC_CTYPE, LANG\nthe first that is set: lines and bars are of ASCII unless it is of UTF\\-8\n"
        ".SH EXIT STATUS\n0 done, 1 failed, 2 misused, 3 a limit of \\-\\-fail\\-if\\-... is passed.\n"
        ".SH SEE ALSO\n\\fBtm\\-run\\fR(1), \\fBtm\\-snap\\fR(1), \\fBtm\\-top\\fR(1)\n",
        stream);
}
