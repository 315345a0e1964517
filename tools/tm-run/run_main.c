/* SPDX-License-Identifier: MIT */
/* tm-run: a program with the library preloaded. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/exit_code.h"
#include "tools/tm-run/preload_path.h"
#include "tools/tm-run/program_kind.h"
#include "tools/tm-run/run_child.h"
#include "tools/tm-run/run_options.h"
#include "tools/tm-run/written_files.h"

#define PYTHON "python3"

/* The program's words: with python3 before them where they are its own. */
static char **make_arguments(const struct tm_run_options *options)
{
    static char python[] = PYTHON;
    size_t count = 0;
    while (options->run[count] != NULL) {
        count++;
    }
    char **arguments = calloc(count + 2, sizeof *arguments);
    if (arguments == NULL) {
        perror("tm-run");
        return NULL;
    }
    size_t at = 0;
    if (options->is_python) {
        arguments[at++] = python;
    }
    memcpy(arguments + at, options->run, count * sizeof *arguments);
    return arguments;
}

/* Sets LD_PRELOAD for the program, and says it when that will not trace it. */
static bool prepare(const char *word, const char *library)
{
    static const char *const reasons[] = {
        [TM_PROGRAM_STATIC] = "is linked statically: nothing can be preloaded into it; it runs untraced",
        [TM_PROGRAM_SETUID] =
            ("has more rights than you (setuid or capabilities): ld.so preloads nothing into it; it runs "
             "untraced"),
        [TM_PROGRAM_FOREIGN] = "is not a program of 64-bit x86: the library does not fit; it runs untraced",
        [TM_PROGRAM_MUSL] = "is linked with musl: the library needs glibc; it runs untraced",
    };
    char path[PATH_MAX];
    enum tm_program_kind kind = tm_program_find(word, path, sizeof path) ? tm_program_kind(path) : TM_PROGRAM_TRACEABLE;
    if (kind != TM_PROGRAM_TRACEABLE) {
        (void)fprintf(stderr, "tm-run: %s %s\n", path, reasons[kind]);
    }
    return kind == TM_PROGRAM_MUSL || tm_preload_set(library);
}

static int run(const struct tm_run_options *options, const char *library)
{
    char **arguments = make_arguments(options);
    if (arguments == NULL || setenv("TRACEMALLOC_NFRAME", TM_RUN_NFRAME, 0) != 0 || !prepare(arguments[0], library)) {
        free(arguments);
        return TM_EXIT_FAILED;
    }
    if (!isatty(STDERR_FILENO)) {
        int code = tm_run_exec(arguments);
        free(arguments);
        return code;
    }
    struct timespec since;
    pid_t child;
    int status = 0;
    (void)clock_gettime(CLOCK_REALTIME_COARSE, &since);
    bool done = tm_run_child(arguments, &child, &status);
    free(arguments);
    if (!done) {
        return TM_EXIT_FAILED;
    }
    if (!tm_run_did_not_begin(status)) {
        tm_run_say_what_was_written(child, &since);
    }
    tm_run_end_like(status);
}

int main(int count, char **arguments)
{
    struct tm_run_options options;
    char library[PATH_MAX];
    (void)count;
    tm_run_options_parse(&options, arguments);
    switch (options.action) {
    case TM_RUN_PRINT_HELP:
        tm_run_print_help();
        break;
    case TM_RUN_PRINT_VERSION:
        (void)puts("tm-run (libtracemalloc) " TM_VERSION);
        break;
    case TM_RUN_MISUSED:
        return TM_EXIT_MISUSED;
    default:
        if (!tm_preload_find(library, sizeof library)) {
            return TM_EXIT_FAILED;
        }
        if (options.action == TM_RUN_PROGRAM) {
            return run(&options, library);
        }
        (void)puts(library);
    }
    if (fflush(stdout) != 0) {
        perror("tm-run: standard output");
        return TM_EXIT_FAILED;
    }
    return TM_EXIT_DONE;
}
