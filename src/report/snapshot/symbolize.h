/* SPDX-License-Identifier: MIT */
/* Names for machine frames that have none yet, from the files of this machine.
 *
 * A frame whose instruction was inlined becomes as many frames.  Frames of objects that are not here, or of which
 * another build is here, stay as they are; what was missed is one line each in the snapshot's symbol_notes.
 * Memory   the model's.     Errors  false without memory; the model is then as it was. */
#ifndef TM_REPORT_SNAPSHOT_SYMBOLIZE_H
#define TM_REPORT_SNAPSHOT_SYMBOLIZE_H

#include <stdbool.h>

#include "base/compiler.h"
#include "report/snapshot/snapshot.h"

/* DEBUG_DIR: where separate debug files lie instead of /usr/lib/debug, or NULL. */
TM_CHECKED bool tm_snapshot_symbolize(struct tm_snapshot *snapshot, const char *debug_dir);

#endif
