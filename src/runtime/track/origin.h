/* SPDX-License-Identifier: MIT */
/* What a Python process hands to the programs that it and its descendants run by exec: the folder in which relative
 * names of OUTPUT and STORE are meant, and the pid of the first process, whose the name without a pid is.
 *
 *   TRACEMALLOC_ORIGIN=4711:/the/folder
 *
 * The doors of exec add it to the environment of a program into which the library will be preloaded; the constructor
 * there takes it out again, before the program looks.  A descendant that is given another OUTPUT or STORE begins anew,
 * and so does one behind a process without the library. */
#ifndef TM_RUNTIME_TRACK_ORIGIN_H
#define TM_RUNTIME_TRACK_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/table/live_store.h"

struct tm_origin {
    char folder[TM_PATH_CAPACITY]; /* not ended by a zero byte */
    size_t folder_length;          /* 0: not known */
    uint32_t first_pid;
    bool is_inherited;
    uint64_t choice; /* hash of the values of OUTPUT and STORE */
};

/* Constructor: takes the word out of ENVIRONMENT and keeps what it says and the present choice of names. */
void tm_origin_begin(struct tm_origin *origin, char **environment);

#endif
