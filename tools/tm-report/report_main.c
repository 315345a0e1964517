/* SPDX-License-Identifier: MIT */
/* tm-report: what a snapshot says. */
#include <signal.h>
#include <stdio.h>

#include "tools/tm-report/newest_snapshots.h"
#include "tools/tm-report/page_run.h"
#include "tools/tm-report/report_options.h"
#include "tools/tm-report/report_run.h"
#include "tools/tm-report/usage_text.h"

int main(int count, char **arguments)
{
    /* A reader that goes away is an error of writing, not a death. */
    (void)signal(SIGPIPE, SIG_IGN);
    if (count < 2) {
        (void)fputs(TM_USAGE_LINES "see tm-report --help\n", stderr);
        tm_list_newest_snapshots();
        return TM_EXIT_MISUSED;
    }
    struct tm_options options;
    enum tm_exit result = TM_EXIT_MISUSED;
    switch (tm_options_parse(&options, count, arguments)) {
    case TM_PARSED_RUN:
        result = options.command == TM_COMMAND_HTML ? tm_page_run(&options) : tm_report_run(&options);
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
    tm_options_free(&options);
    return (int)result;
}
