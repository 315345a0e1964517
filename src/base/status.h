/* SPDX-License-Identifier: MIT */
/* The errors of the desk: one list of name, message and remedy.  The process half shows no errors, it counts them.
 *
 * No state, no allocation; any thread. */
#ifndef TM_BASE_STATUS_H
#define TM_BASE_STATUS_H

#include <stdint.h>

/* The remedy is what a user can do; "" where there is nothing general to say. */
#define TM_STATUS_MAP(X)                                                                                               \
    X(OK, "done", "")                                                                                                  \
    X(ABSENT, "there is nothing there", "")                                                                            \
    X(NO_MEMORY, "out of memory", "")                                                                                  \
    X(IO, "the file could not be read or written", "")                                                                 \
    X(NOT_SNAPSHOT, "not a snapshot file", "give a file that libtracemalloc wrote, tracemalloc.PID.tms")               \
    X(TOO_NEW, "written by a newer version", "read it with the tm-report of the libtracemalloc that wrote it")         \
    X(TRUNCATED, "the file ends too early", "copy it again from where it was written, or take a new snapshot")         \
    X(CORRUPT, "the file contradicts itself", "copy it again from where it was written, or take a new snapshot")       \
    X(TOO_LARGE, "the file asks for more memory than a snapshot may",                                                  \
      "take a new snapshot with a lower traceback limit")                                                              \
    X(USAGE, "the arguments do not fit together", "see --help")

#define TM_STATUS_VALUE(name, message, remedy) TM_STATUS_##name,
enum tm_status { TM_STATUS_MAP(TM_STATUS_VALUE) TM_STATUS_COUNT };
#undef TM_STATUS_VALUE

#define TM_FAULT_CAPACITY 160U

/* Where a file is wrong, and in which words. */
struct tm_fault {
    uint64_t offset; /* bytes from the start of the file */
    char what[TM_FAULT_CAPACITY];
};

/* Both return static text, never NULL. */
const char *tm_status_message(enum tm_status status);
const char *tm_status_remedy(enum tm_status status);

#endif
