/* SPDX-License-Identifier: MIT */
/* Snapshots of one process or store. */
#ifndef TM_TOOLS_TM_SNAP_SNAP_TAKE_H
#define TM_TOOLS_TM_SNAP_SNAP_TAKE_H

#include "base/exit_code.h"
#include "tools/tm-snap/snap_options.h"

/* Prints the names of what it wrote to stdout, and one line to stderr when it fails. */
TM_CHECKED enum tm_exit tm_snap_take(const struct tm_snap_options *options);

#endif
