/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/help_text.h"

#include <string.h>

#define WIDTH         100
#define OPTION_INDENT 34
#define USAGE_INDENT  46

/* Words of TEXT in lines up to WIDTH, from column AT on, later lines indented. */
static void print_wrapped(FILE *stream, const char *text, int at, int indent)
{
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (at > indent && at + 1 + length > WIDTH) {
            (void)fprintf(stream, "\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            (void)fputc(' ', stream);
            at++;
        }
        (void)fprintf(stream, "%.*s", length, text);
        at += length;
        text += length;
        text += strspn(text, " ");
    }
    (void)fputc('\n', stream);
}

/* Spaces up to COLUMN; a line of its own when that is passed. */
static void go_to(FILE *stream, int at, int column)
{
    if (at + 2 > column) {
        (void)fputc('\n', stream);
        at = 0;
    }
    (void)fprintf(stream, "%*s", column - at, "");
}

static void print_option(FILE *stream, const struct tm_option *option)
{
    int at = option->letter != '\0' ? fprintf(stream, "  -%c, --%s", option->letter, option->name)
                                    : fprintf(stream, "      --%s", option->name);
    if (option->value != NULL) {
        at += fprintf(stream, " %s", option->value);
    }
    go_to(stream, at, OPTION_INDENT);
    print_wrapped(stream, option->help, OPTION_INDENT, OPTION_INDENT);
}

/* BEFORE, the group above, may be NULL. */
static void print_group(FILE *stream, const struct tm_option_group *group, const struct tm_option_group *before)
{
    if (before == NULL || strcmp(before->title, group->title) != 0) {
        (void)fprintf(stream, "\n%s:\n", group->title);
    }
    for (size_t i = 0; i < group->count; i++) {
        print_option(stream, &group->options[i]);
    }
}

void tm_help_usage(FILE *stream)
{
    const char *head = "usage:";
    for (size_t i = 0; tm_commands[i] != NULL; i++) {
        const struct tm_command *command = tm_commands[i];
        int at = fprintf(stream, "%-6s tm-report %s %s", head, command->name, command->files);
        go_to(stream, at, USAGE_INDENT);
        (void)fprintf(stream, "%s\n", command->summary);
        head = "";
    }
}

static void print_examples(FILE *stream, const struct tm_command *command)
{
    (void)fputs("\nExamples:\n", stream);
    for (size_t i = 0; i < TM_EXAMPLES_MAX && command->examples[i].line != NULL; i++) {
        const struct tm_example *example = &command->examples[i];
        if (example->what != NULL) {
            (void)fprintf(stream, "  # %s\n", example->what);
        }
        (void)fprintf(stream, "  tm-report %s\n", example->line);
    }
}

static void print_command(FILE *stream, const struct tm_command *command)
{
    (void)fprintf(stream, "usage: tm-report %s [options] %s\n\n", command->name, command->files);
    print_wrapped(stream, command->summary, 0, 0);
    if (command->words != NULL) {
        print_wrapped(stream, command->words, 0, 0);
    }
    for (size_t i = 0; i < TM_GROUPS_MAX && command->groups[i] != NULL; i++) {
        print_group(stream, command->groups[i], i > 0 ? command->groups[i - 1] : NULL);
    }
    print_group(stream, &tm_common_options, NULL);
    print_examples(stream, command);
}

static void print_all(FILE *stream)
{
    tm_help_usage(stream);
    (void)fputs(
        "\nSnapshots are the files tracemalloc.PID.tms of programs run with LD_PRELOAD=libtracemalloc.so; - reads "
        "one\nfrom standard input. One snapshot alone means top, OLD NEW diff. Options may stand anywhere;\n"
        "`tm-report COMMAND --help` says which a command takes, with examples.\n",
        stream);
    for (size_t i = 0; tm_option_groups[i] != NULL; i++) {
        print_group(stream, tm_option_groups[i], i > 0 ? tm_option_groups[i - 1] : NULL);
    }
    (void)fputs("\nExit codes: 0 done, 1 failed, 2 misused, 3 a limit of --fail-if-... is passed.\n", stream);
}

void tm_help(FILE *stream, const struct tm_command *command)
{
    if (command != NULL) {
        print_command(stream, command);
    } else {
        print_all(stream);
    }
}
