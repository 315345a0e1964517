/* SPDX-License-Identifier: MIT */
/* tm-snap: snapshots of processes, taken from outside through their live stores. */
#include <signal.h>
#include <stdio.h>

#include "base/exit_code.h"
#include "tools/tm-snap/snap_collect.h"
#include "tools/tm-snap/snap_list.h"
#include "tools/tm-snap/snap_options.h"
#include "tools/tm-snap/snap_take.h"

int main(int count, char **arguments)
{
    struct tm_snap_options options;
    (void)signal(SIGPIPE, SIG_IGN); /* a reader that goes away is an error of writing, not a death */
    tm_snap_options_parse(&options, count, arguments);
    switch (options.action) {
    case TM_SNAP_TAKE:
        return (int)tm_snap_take(&options);
    case TM_SNAP_LIST:
        return (int)tm_snap_list();
    case TM_SNAP_COLLECT:
        return (int)tm_snap_collect(options.folders);
    case TM_SNAP_EXIT_DONE:
        if (fflush(stdout) != 0) {
            perror("tm-snap: standard output");
            return TM_EXIT_FAILED;
        }
        return TM_EXIT_DONE;
    default:
        return TM_EXIT_MISUSED;
    }
}
