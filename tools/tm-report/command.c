/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/command.h"

#include <stdio.h>
#include <string.h>

#include "base/edit_distance.h"

const struct tm_command *const tm_commands[] = {&tm_cmd_top,       &tm_cmd_diff, &tm_cmd_series,    &tm_cmd_merge,
                                                &tm_cmd_traceback, &tm_cmd_tree, &tm_cmd_blocks,    &tm_cmd_stats,
                                                &tm_cmd_export,    &tm_cmd_html, &tm_cmd_symbolize, NULL};

const struct tm_command *tm_command_find(const char *name)
{
    for (size_t i = 0; tm_commands[i] != NULL; i++) {
        if (strcmp(tm_commands[i]->name, name) == 0) {
            return tm_commands[i];
        }
    }
    return NULL;
}

const struct tm_command *tm_command_like(const char *word)
{
    const struct tm_command *like = NULL;
    unsigned nearest = 3;
    for (size_t i = 0; tm_commands[i] != NULL; i++) {
        const char *name = tm_commands[i]->name;
        bool is_start = strlen(word) > 1 && strncmp(word, name, strlen(word)) == 0;
        unsigned off = is_start ? 0 : tm_edit_distance(word, strlen(word), name, strlen(name));
        if (off < nearest && off < strlen(name)) {
            nearest = off;
            like = tm_commands[i];
        }
    }
    return like;
}

bool tm_command_takes(const struct tm_command *command, const struct tm_option_group *group)
{
    for (size_t i = 0; i < TM_GROUPS_MAX && command->groups[i] != NULL; i++) {
        if (command->groups[i] == group) {
            return true;
        }
    }
    return group == &tm_common_options;
}

bool tm_misused(const struct tm_options *options, const char *words)
{
    const char *name = options->command != NULL ? options->command->name : "";
    (void)fprintf(stderr, "tm-report: %s; see tm-report %s%s--help\n", words, name, name[0] != '\0' ? " " : "");
    return false;
}
