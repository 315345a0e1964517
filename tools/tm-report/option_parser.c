/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/option_parser.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/edit_distance.h"
#include "tools/tm-report/command.h"
#include "tools/tm-report/help_text.h"
#include "tools/tm-report/printed_forms.h"

#define OPTIONS_MAX 64U
#define LONG_ONLY   256 /* getopt's value of the first option without a letter */

/* All options of all groups as getopt wants them, and which were given. */
struct parser {
    const struct tm_option *options[OPTIONS_MAX];
    const struct tm_option_group *groups[OPTIONS_MAX]; /* of each */
    bool given[OPTIONS_MAX];
    size_t count;
    struct option long_options[OPTIONS_MAX + 1];
    char letters[2 * OPTIONS_MAX + 2]; /* the short ones, as getopt wants them */
    size_t letter_count;
    bool help;
    bool version;
};

static void add_option(struct parser *parser, const struct tm_option_group *group, const struct tm_option *option)
{
    size_t at = parser->count++;
    parser->options[at] = option;
    parser->groups[at] = group;
    parser->long_options[at] = (struct option){.name = option->name,
                                               .has_arg = option->value != NULL ? required_argument : no_argument,
                                               .val = option->letter != '\0' ? option->letter : LONG_ONLY + (int)at};
    if (option->letter != '\0') {
        parser->letters[parser->letter_count++] = option->letter;
        if (option->value != NULL) {
            parser->letters[parser->letter_count++] = ':';
        }
    }
}

static void parser_init(struct parser *parser)
{
    memset(parser, 0, sizeof *parser);
    parser->letters[parser->letter_count++] = ':'; /* getopt tells a missing value from an unknown option */
    for (size_t g = 0; tm_option_groups[g] != NULL; g++) {
        const struct tm_option_group *group = tm_option_groups[g];
        for (size_t i = 0; i < group->count && parser->count < OPTIONS_MAX; i++) {
            add_option(parser, group, &group->options[i]);
        }
    }
}

/* The option that the long ARGUMENT was meant to be; NULL: none is near. */
static const char *option_like(const struct parser *parser, const char *argument)
{
    const char *like = NULL, *word = argument + 2;
    size_t length = strcspn(word, "=");
    unsigned nearest = 3;
    for (size_t i = 0; i < parser->count; i++) {
        const char *name = parser->options[i]->name;
        unsigned off = tm_edit_distance(word, length, name, strlen(name));
        if (off < nearest && off + 1 < length) {
            nearest = off;
            like = name;
        }
    }
    return like;
}

/* optopt is the letter of a short option, 0 for a long one that is not known. */
static bool say_unknown(const struct parser *parser, int found, const char *argument)
{
    const char *like = found == '?' && optopt == 0 ? option_like(parser, argument) : NULL;
    const char *words = found == ':'         ? "needs a value"
                        : optopt == 0        ? "is not known, or short for several"
                        : optopt < LONG_ONLY ? "is not known"
                                             : "takes no value";
    if (argument[0] == '-' && argument[1] != '-' && optopt > ' ' && optopt < 0x7F) {
        (void)fprintf(stderr, "tm-report: option -%c %s; see --help\n", optopt, words);
    } else if (like != NULL) {
        (void)fprintf(stderr, "tm-report: option %s is not known; did you mean --%s?\n", argument, like);
    } else {
        (void)fprintf(stderr, "tm-report: option %s %s; see --help\n", argument, words);
    }
    return false;
}

static bool take(struct parser *parser, struct tm_options *options, int found)
{
    for (size_t i = 0; i < parser->count; i++) {
        if (parser->long_options[i].val == found) {
            parser->given[i] = true;
            parser->help |= found == 'h';
            parser->version |= found == 'V';
            return parser->options[i]->take == NULL || parser->options[i]->take(options, parser->options[i], optarg);
        }
    }
    return false;
}

static bool parse_options(struct parser *parser, struct tm_options *options, int count, char **arguments)
{
    int found;
    opterr = 0;
    while ((found = getopt_long(count, arguments, parser->letters, parser->long_options, NULL)) != -1) {
        if (found == '?' || found == ':') {
            return say_unknown(parser, found, arguments[optind - 1]);
        }
        if (!take(parser, options, found)) {
            return false;
        }
    }
    return true;
}

/* A word that is neither a command nor a file is a command that was mistyped: names of files have a dot or a slash. */
static bool is_file_name(const char *word)
{
    return strpbrk(word, "./") != NULL || strcmp(word, "-") == 0 || access(word, F_OK) == 0;
}

static bool say_no_command(const char *word)
{
    const struct tm_command *like = tm_command_like(word);
    (void)fprintf(stderr, "tm-report: '%s' is no command and no file", word);
    if (like != NULL) {
        (void)fprintf(stderr, "; did you mean %s?\n", like->name);
        return false;
    }
    for (size_t i = 0; tm_commands[i] != NULL; i++) {
        const char *separator = i == 0 ? "; commands are " : tm_commands[i + 1] == NULL ? " and " : ", ";
        (void)fprintf(stderr, "%s%s", separator, tm_commands[i]->name);
    }
    (void)fputc('\n', stderr);
    return false;
}

static bool take_command(struct tm_options *options, int count, char **arguments)
{
    options->command = count > 0 ? tm_command_find(arguments[0]) : NULL;
    bool is_said = options->command != NULL;
    if (!is_said && count > 0 && !is_file_name(arguments[0])) {
        return say_no_command(arguments[0]);
    }
    options->files = (const char **)(arguments + is_said);
    options->file_count = (unsigned)(count - is_said);
    return true;
}

/* How many files there are says what is meant where no command is. */
static bool check_files(struct tm_options *options)
{
    if (options->command == NULL) {
        static const struct tm_command *const implied[] = {&tm_cmd_top, &tm_cmd_top, &tm_cmd_diff, &tm_cmd_series};
        options->command = implied[options->file_count < 3 ? options->file_count : 3];
        options->command_implied = true;
    }
    const struct tm_command *command = options->command;
    return (options->file_count >= command->files_min && options->file_count <= command->files_max) ||
           tm_misused(options, command->files_wrong);
}

static bool check_groups(const struct parser *parser, const struct tm_options *options)
{
    for (size_t i = 0; i < parser->count; i++) {
        if (parser->given[i] && !tm_command_takes(options->command, parser->groups[i])) {
            (void)fprintf(stderr, "tm-report: --%s does not go with the command %s; see tm-report %s --help\n",
                          parser->options[i]->name, options->command->name, options->command->name);
            return false;
        }
    }
    return true;
}

static enum tm_parsed print_form(const struct tm_options *options)
{
    static void (*const forms[])(FILE *) = {[TM_PRINT_MANUAL] = tm_print_manual,
                                            [TM_PRINT_BASH] = tm_print_bash,
                                            [TM_PRINT_ZSH] = tm_print_zsh,
                                            [TM_PRINT_FISH] = tm_print_fish};
    forms[options->printed](stdout);
    return TM_PARSED_EXIT_DONE;
}

enum tm_parsed tm_options_parse(struct tm_options *options, int count, char **arguments)
{
    struct parser parser;
    memset(options, 0, sizeof *options);
    options->group_by = TM_KEY_LINENO;
    options->limits = TM_NO_LIMITS;
    parser_init(&parser);
    if (!parse_options(&parser, options, count, arguments)) {
        return TM_PARSED_EXIT_MISUSED;
    }
    if (parser.version && !parser.help) {
        (void)fputs("tm-report (libtracemalloc) " TM_VERSION "\n", stdout);
        return TM_PARSED_EXIT_DONE;
    }
    if (options->printed != TM_PRINT_NOTHING) {
        return print_form(options);
    }
    if (!take_command(options, count - optind, arguments + optind)) {
        return TM_PARSED_EXIT_MISUSED;
    }
    if (parser.help) {
        tm_help(stdout, options->command);
        return TM_PARSED_EXIT_DONE;
    }
    bool good = check_files(options) && check_groups(&parser, options) && options->command->check(options);
    return good ? TM_PARSED_RUN : TM_PARSED_EXIT_MISUSED;
}

void tm_options_free(struct tm_options *options)
{
    for (size_t i = 0; i < options->filter_count; i++) {
        tm_filter_free(&options->filters[i]);
    }
    free(options->filters);
    free(options->roots);
}
