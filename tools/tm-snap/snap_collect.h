/* SPDX-License-Identifier: MIT */
/* Stores of dead processes become snapshots. */
#ifndef TM_TOOLS_TM_SNAP_SNAP_COLLECT_H
#define TM_TOOLS_TM_SNAP_SNAP_COLLECT_H

#include "base/compiler.h"
#include "base/exit_code.h"

/* Looks at every *.live of FOLDERS (NULL at the end; none: the current one).  Prints the names of the snapshots to
 * stdout, and a line to stderr for each store that stays. */
TM_CHECKED enum tm_exit tm_snap_collect(char *const *folders);

#endif
