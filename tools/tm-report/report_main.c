/* SPDX-License-Identifier: MIT */
/* tm-report: what a snapshot says. */
#include <signal.h>
#include <stdio.h>

#include "tools/tm-report/command.h"
#include "tools/tm-report/help_text.h"
#include "tools/tm-report/newest_snapshots.h"
#include "tools/tm-report/option_parser.h"
#include "tools/tm-report/progress.h"

int main(int count, char **arguments)
{
    /* A reader that goes away is an error of writing, not a death. */
    (void)signal(SIGPIPE, SIG_IGN);
    if (count < 2) {
        tm_help_usage(stderr);
        (void)fputs("see tm-report --help\n", stderr);
        tm_list_newest_snapshots();
        return TM_EXIT_MISUSED;
    }
    struct tm_options options;
    enum tm_exit result = TM_EXIT_MISUSED;
    switch (tm_options_parse(&options, count, arguments)) {
    case TM_PARSED_RUN:
        result = options.command->run(&options);
        break;
    case TM_PARSED_EXIT_DONE:
        result = TM_EXIT_DONE;
        if (fflush(stdout) != 0) {
            perror("tm-report: standard output");
            result = TM_EXIT_FAILED;
        }
        break;
    case TM_PARSED_EXIT_MISUSED:
        break;
    }
    tm_progress_end();
    tm_options_free(&options);
    return (int)result;
}
