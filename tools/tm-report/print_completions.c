/* SPDX-License-Identifier: MIT */
#include "tools/tm-report/printed_forms.h"

#include <string.h>

static void print_commands(FILE *stream)
{
    for (size_t i = 0; tm_commands[i] != NULL; i++) {
        (void)fprintf(stream, "%s%s", i > 0 ? " " : "", tm_commands[i]->name);
    }
}

static void print_words(FILE *stream, const struct tm_word *words)
{
    for (size_t i = 0; words[i].word != NULL; i++) {
        (void)fprintf(stream, "%s%s", i > 0 ? " " : "", words[i].word);
    }
}

/* TEXT inside single quotes of a shell; AVOID is put behind a backslash. */
static void print_quoted(FILE *stream, const char *text, const char *avoid, const char *quote)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            (void)fputs(quote, stream);
        } else if (strchr(avoid, *text) != NULL) {
            (void)fprintf(stream, "\\%c", *text);
        } else {
            (void)fputc(*text, stream);
        }
    }
}

static bool is_file(const struct tm_option *option)
{
    return option->value != NULL && strcmp(option->value, "FILE") == 0;
}

/* `-g|--group-by`, as in a pattern of case. */
static void print_pattern(FILE *stream, const struct tm_option *option)
{
    if (option->letter != '\0') {
        (void)fprintf(stream, "-%c|", option->letter);
    }
    (void)fprintf(stream, "--%s", option->name);
}

static void print_bash_values(FILE *stream)
{
    for (size_t g = 0; tm_option_groups[g] != NULL; g++) {
        for (size_t i = 0; i < tm_option_groups[g]->count; i++) {
            const struct tm_option *option = &tm_option_groups[g]->options[i];
            if (option->value == NULL) {
                continue;
            }
            (void)fputs("        ", stream);
            print_pattern(stream, option);
            if (option->words != NULL) {
                (void)fputs(") COMPREPLY=($(compgen -W '", stream);
                print_words(stream, option->words);
                (void)fputs("' -- \"$current\")); return ;;\n", stream);
            } else {
                (void)fputs(is_file(option) ? ") COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"
                                            : ") return ;;\n",
                            stream);
            }
        }
    }
}

static void print_bash_options(FILE *stream, const struct tm_command *command)
{
    for (size_t g = 0; tm_option_groups[g] != NULL; g++) {
        if (command != NULL && !tm_command_takes(command, tm_option_groups[g])) {
            continue;
        }
        for (size_t i = 0; i < tm_option_groups[g]->count; i++) {
            const struct tm_option *option = &tm_option_groups[g]->options[i];
            (void)fprintf(stream, "--%s ", option->name);
        }
    }
}

void tm_print_bash(FILE *stream)
{
    (void)fputs("# bash completion of tm-report, made by tm-report --print bash\n"
                "_tm_report()\n{\n"
                "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= word options\n"
                "    if [ \"$before\" = '=' ]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
                "    if [ \"$current\" = '=' ]; then current=; fi\n"
                "    case $before in\n",
                stream);
    print_bash_values(stream);
    (void)fputs("    esac\n    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n        case $word in\n        ",
                stream);
    for (size_t i = 0; tm_commands[i] != NULL; i++) {
        (void)fprintf(stream, "%s%s", i > 0 ? "|" : "", tm_commands[i]->name);
    }
    (void)fputs(") command=$word; break ;;\n        esac\n    done\n"
                "    if [ \"${current#-}\" != \"$current\" ]; then\n        case $command in\n",
                stream);
    for (size_t i = 0; tm_commands[i] != NULL; i++) {
        (void)fprintf(stream, "        %s) options='", tm_commands[i]->name);
        print_bash_options(stream, tm_commands[i]);
        (void)fputs("' ;;\n", stream);
    }
    (void)fputs("        *) options='", stream);
    print_bash_options(stream, NULL);
    (void)fputs(
        "' ;;\n        esac\n        COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n        return\n    fi\n"
        "    COMPREPLY=($(compgen -f -X '!*.@(tms|live)' -- \"$current\") $(compgen -d -- \"$current\"))\n"
        "    if [ -z \"$command\" ]; then\n        COMPREPLY+=($(compgen -W '",
        stream);
    print_commands(stream);
    (void)fputs("' -- \"$current\"))\n    fi\n}\n"
                "shopt -s extglob\ncomplete -o filenames -F _tm_report tm-report\n",
                stream);
}

/* `'(-g --group-by)'{-g+,--group-by=}'[help]:KEY:(words)'` */
static void print_zsh_option(FILE *stream, const struct tm_option *option)
{
    const char *plus = option->value != NULL ? "+" : "", *equals = option->value != NULL ? "=" : "";
    if (option->letter != '\0') {
        (void)fprintf(stream, "        '*'{-%c%s,--%s%s}'[", option->letter, plus, option->name, equals);
    } else {
        (void)fprintf(stream, "        '*--%s%s[", option->name, equals);
    }
    print_quoted(stream, option->help, "[]:\\", "'\\''");
    (void)fputc(']', stream);
    if (option->value != NULL) {
        (void)fputc(':', stream);
        print_quoted(stream, option->value, "[]:\\", "'\\''");
        (void)fputc(':', stream);
    }
    if (option->words != NULL) {
        (void)fputc('(', stream);
        print_words(stream, option->words);
        (void)fputc(')', stream);
    } else if (is_file(option)) {
        (void)fputs("_files", stream);
    }
    (void)fputs("'\n", stream);
}

void tm_print_zsh(FILE *stream)
{
    (void)fputs("#compdef tm-report\n# zsh completion of tm-report, made by tm-report --print zsh\n"
                "_tm_report() {\n    local command word\n    local -a commands options\n    commands=(\n",
                stream);
    for (size_t i = 0; tm_commands[i] != NULL; i++) {
        (void)fprintf(stream, "        '%s:", tm_commands[i]->name);
        print_quoted(stream, tm_commands[i]->summary, ":\\", "'\\''");
        (void)fputs("'\n", stream);
    }
    (void)fputs("    )\n    for word in ${words[2,CURRENT-1]}; do\n"
                "        if (( ${commands[(I)${word}:*]} )); then command=$word; break; fi\n    done\n",
                stream);
    for (size_t g = 0; tm_option_groups[g] != NULL; g++) {
        const struct tm_option_group *group = tm_option_groups[g];
        (void)fputs("    case $command in\n    ''", stream);
        for (size_t i = 0; tm_commands[i] != NULL; i++) {
            if (tm_command_takes(tm_commands[i], group)) {
                (void)fprintf(stream, "|%s", tm_commands[i]->name);
            }
        }
        (void)fputs(") options+=(\n", stream);
        for (size_t i = 0; i < group->count; i++) {
            print_zsh_option(stream, &group->options[i]);
        }
        (void)fputs("    ) ;;\n    esac\n", stream);
    }
    (void)fputs("    _tm_report_files() {\n"
                "        if [[ -z $command ]]; then _describe -t commands command commands; fi\n"
                "        _files -g '*.(tms|live)(-.)'\n    }\n"
                "    _arguments -s -S : $options '*:snapshot:_tm_report_files'\n}\n_tm_report \"$@\"\n",
                stream);
}

static void print_fish_option(FILE *stream, const struct tm_option_group *group, const struct tm_option *option)
{
    (void)fputs("complete -c tm-report -n '__tm_report_takes", stream);
    for (size_t i = 0; tm_commands[i] != NULL; i++) {
        if (tm_command_takes(tm_commands[i], group)) {
            (void)fprintf(stream, " %s", tm_commands[i]->name);
        }
    }
    (void)fputs("'", stream);
    if (option->letter != '\0') {
        (void)fprintf(stream, " -s %c", option->letter);
    }
    (void)fprintf(stream, " -l %s", option->name);
    if (option->words != NULL) {
        (void)fputs(" -x -a '", stream);
        print_words(stream, option->words);
        (void)fputs("'", stream);
    } else if (option->value != NULL) {
        (void)fputs(is_file(option) ? " -r -F" : " -x", stream);
    }
    (void)fputs(" -d '", stream);
    print_quoted(stream, option->help, "\\", "\\'");
    (void)fputs("'\n", stream);
}

void tm_print_fish(FILE *stream)
{
    (void)fputs(
        "# fish completion of tm-report, made by tm-report --print fish\n"
        "function __tm_report_takes\n    __fish_seen_subcommand_from $argv; or not __fish_seen_subcommand_from ",
        stream);
    print_commands(stream);
    (void)fputs("\nend\n", stream);
    for (size_t i = 0; tm_commands[i] != NULL; i++) {
        (void)fputs("complete -c tm-report -n 'not __fish_seen_subcommand_from ", stream);
        print_commands(stream);
        (void)fprintf(stream, "' -a %s -d '", tm_commands[i]->name);
        print_quoted(stream, tm_commands[i]->summary, "\\", "\\'");
        (void)fputs("'\n", stream);
    }
    for (size_t g = 0; tm_option_groups[g] != NULL; g++) {
        for (size_t i = 0; i < tm_option_groups[g]->count; i++) {
            print_fish_option(stream, tm_option_groups[g], &tm_option_groups[g]->options[i]);
        }
    }
}
