/* SPDX-License-Identifier: MIT */
/* What is traced on this machine. */
#ifndef TM_TOOLS_TM_SNAP_SNAP_LIST_H
#define TM_TOOLS_TM_SNAP_SNAP_LIST_H

#include "base/compiler.h"
#include "base/exit_code.h"

/* Prints a table to stdout; one line to stderr when it fails. */
TM_CHECKED enum tm_exit tm_snap_list(void);

#endif
