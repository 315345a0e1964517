/* SPDX-License-Identifier: MIT */
/* Exit codes of every tool. */
#ifndef TM_BASE_EXIT_CODE_H
#define TM_BASE_EXIT_CODE_H

enum tm_exit {
    TM_EXIT_DONE = 0,
    TM_EXIT_FAILED = 1,
    TM_EXIT_MISUSED = 2,
    TM_EXIT_LIMIT = 3, /* a limit that the user gave is passed */
};

#endif
