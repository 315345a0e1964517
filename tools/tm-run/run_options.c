/* SPDX-License-Identifier: MIT */
#include "tools/tm-run/run_options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/config_options.h"
#include "base/edit_distance.h"

#define PREFIX        "TRACEMALLOC_"
#define NAME_CAPACITY 32U

static const struct option {
    const char *name;
    const char *initial;
    const char *values;
    const char *help;
} options_known[] = {
#define ROW(name, parser, initial, values, help) {#name, initial, values, help},
    TM_OPTION_MAP(ROW)
#undef ROW
};

/* MEMORY_LIMIT is --memory-limit. */
static void make_flag(const char *name, char *flag)
{
    size_t i = 0;
    for (; name[i] != '\0' && i + 1 < NAME_CAPACITY; i++) {
        flag[i] = (char)(name[i] == '_' ? '-' : tolower((unsigned char)name[i]));
    }
    flag[i] = '\0';
}

static const struct option *find_option(const char *flag, size_t length)
{
    char known[NAME_CAPACITY];
    for (size_t i = 0; i < TM_COUNT_OF(options_known); i++) {
        make_flag(options_known[i].name, known);
        if (strlen(known) == length && memcmp(known, flag, length) == 0) {
            return &options_known[i];
        }
    }
    return NULL;
}

static bool is_switch(const struct option *option)
{
    return strcmp(option->values, TM_OPTION_SWITCH) == 0;
}

static enum tm_run_action misused(const char *what, const char *argument, const char *why)
{
    (void)fprintf(stderr, "tm-run: %s%s%s; see --help\n", what, argument, why);
    return TM_RUN_MISUSED;
}

/* Says so, and which one FLAG, LENGTH bytes of it, may have been meant to be. */
static enum tm_run_action unknown(const char *argument, const char *flag, size_t length)
{
    char known[NAME_CAPACITY], like[NAME_CAPACITY];
    unsigned nearest = 3;
    for (size_t i = 0; i < TM_COUNT_OF(options_known); i++) {
        make_flag(options_known[i].name, known);
        unsigned off = tm_edit_distance(flag, length, known, strlen(known));
        if (off < nearest && off + 1 < length) {
            nearest = off;
            memcpy(like, known, sizeof like);
        }
    }
    if (nearest == 3) {
        return misused("option ", argument, " is not known");
    }
    (void)fprintf(stderr, "tm-run: option %s is not known; did you mean --%s?\n", argument, like);
    return TM_RUN_MISUSED;
}

static bool set_variable(const struct option *option, const char *value)
{
    char variable[sizeof PREFIX + NAME_CAPACITY];
    (void)snprintf(variable, sizeof variable, PREFIX "%s", option->name);
    if (setenv(variable, value, 1) != 0) {
        perror("tm-run");
        return false;
    }
    return true;
}

/* One flag --NAME=VALUE, --NAME VALUE or a switch --NAME.  *ARGUMENTS is moved over a value that stands alone. */
static enum tm_run_action take_flag(char ***arguments)
{
    const char *flag = **arguments + 2;
    const char *equals = strchr(flag, '=');
    size_t length = strcspn(flag, "=");
    const struct option *option = find_option(flag, length);
    const char *value = equals == NULL ? NULL : equals + 1;
    if (option == NULL) {
        return unknown(**arguments, flag, length);
    }
    if (value == NULL && is_switch(option)) {
        value = "1";
    } else if (value == NULL) {
        value = (*arguments)[1];
        if (value == NULL) {
            return misused("option ", **arguments, " needs a value");
        }
        (*arguments)++;
    }
    return set_variable(option, value) ? TM_RUN_PROGRAM : TM_RUN_MISUSED;
}

static bool is_word(const char *argument, const char *word, const char *short_word)
{
    return strcmp(argument, word) == 0 || (short_word != NULL && strcmp(argument, short_word) == 0);
}

/* A flag of the tool itself, or one of the library's. */
static enum tm_run_action take(char ***arguments)
{
    const char *argument = **arguments;
    if (is_word(argument, "--help", "-h")) {
        return TM_RUN_PRINT_HELP;
    }
    if (is_word(argument, "--version", "-V")) {
        return TM_RUN_PRINT_VERSION;
    }
    if (is_word(argument, "--print-library", NULL)) {
        return TM_RUN_PRINT_LIBRARY;
    }
    return argument[1] == '-' ? take_flag(arguments) : misused("option ", argument, " is not known");
}

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

static bool has_main(const char *folder)
{
    char path[4096];
    struct stat found;
    int length = snprintf(path, sizeof path, "%s/__main__.py", folder);
    return length > 0 && (size_t)length < sizeof path && stat(path, &found) == 0;
}

/* app.py, an application in a zip file, or a folder with a __main__.py.  A script that was named with a slash and may
 * be executed knows its interpreter itself. */
static bool is_script(const char *word)
{
    struct stat found;
    if (stat(word, &found) != 0) {
        return false;
    }
    if (S_ISDIR(found.st_mode)) {
        return has_main(word);
    }
    bool by_itself = strchr(word, '/') != NULL && (found.st_mode & S_IXUSR) != 0;
    return !by_itself && (ends_in(word, ".py") || ends_in(word, ".pyw") || ends_in(word, ".pyz"));
}

/* The library would say the same, but only where Python begins, and the program would run untraced. */
static bool are_values_good(void)
{
    struct tm_config config;
    char message[512];
    if (tm_config_read(&config, environ, message, sizeof message)) {
        return true;
    }
    (void)fprintf(stderr, "tm-run: %s; see --help\n", message);
    return false;
}

void tm_run_options_parse(struct tm_run_options *options, char **arguments)
{
    options->action = TM_RUN_PROGRAM;
    options->is_python = false;
    for (arguments++; *arguments != NULL && (*arguments)[0] == '-'; arguments++) {
        if (is_word(*arguments, "-m", "-c")) {
            options->is_python = true;
            break;
        }
        if (is_word(*arguments, "--", NULL)) {
            arguments++;
            break;
        }
        options->action = take(&arguments);
        if (options->action != TM_RUN_PROGRAM) {
            return;
        }
    }
    options->run = arguments;
    if (!are_values_good()) { /* first: what is missing may be a value, and the program taken for it */
        options->action = TM_RUN_MISUSED;
    } else if (*arguments == NULL) {
        options->action = misused("a program is needed", "", "");
    } else {
        options->is_python = options->is_python || is_script(*arguments);
    }
}

static void print_option(const struct option *option)
{
    char flag[NAME_CAPACITY];
    char head[NAME_CAPACITY + 16];
    make_flag(option->name, flag);
    (void)snprintf(head, sizeof head, "--%s%s", flag, is_switch(option) ? "" : " VALUE");
    bool is_nframe = strcmp(option->name, "NFRAME") == 0;
    (void)printf("  %-22s %s: %s (default %s)\n", head, option->help, option->values,
                 is_nframe ? TM_RUN_NFRAME " here, "
                                           "1 with LD_PRELOAD alone"
                           : option->initial);
}

void tm_run_print_help(void)
{
    (void)fputs("usage: tm-run [options] [--] PROGRAM ARGUMENTS     runs PROGRAM with libtracemalloc.so preloaded\n"
                "       tm-run [options] app.py ARGUMENTS           the same for what python3 runs: app.py,\n"
                "       tm-run [options] -m MODULE ARGUMENTS        a module, or\n"
                "       tm-run [options] -c CODE ARGUMENTS          a line\n"
                "\n"
                "Each option sets the variable TRACEMALLOC_<NAME> for the program and its children:\n",
                stdout);
    for (size_t i = 0; i < TM_COUNT_OF(options_known); i++) {
        print_option(&options_known[i]);
    }
    (void)fputs("\n"
                "      --print-library    where the library is\n"
                "  -h, --help             this text\n"
                "  -V, --version          the version\n"
                "\n"
                "With a terminal as standard error, the last line says what was written.\n"
                "Exit code: the program's own; 2 misused, 126 and 127 where it cannot be run or is not there.\n",
                stdout);
}
