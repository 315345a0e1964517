/* SPDX-License-Identifier: MIT */
/* The tables become a file: encoded in pages of our own, written under a temporary name, renamed.
 *
 * Under the snapshot lock, with the guard up.   errno  kept.   Result: 0 or a negative errno value. */
#ifndef TM_RUNTIME_TRACK_SNAPSHOT_WRITER_H
#define TM_RUNTIME_TRACK_SNAPSHOT_WRITER_H

#include <stdbool.h>

#include "base/compiler.h"
#include "runtime/os/os_file.h"
#include "runtime/track/snapshot_task.h"

/* Writes the present state to PATH, replacing what is there; it is on the disk then.  MOMENT is a word for the
 * snapshot. BLOCKS: single blocks too, as where the option says so; for that the life lock is held until they are
 * written, else for two moments only, unless everything is cleared meanwhile. */
TM_CHECKED int tm_snapshot_write(const char *path, const char *moment, bool blocks);

/* Writes ENCODED, or the present state where that is NULL, under the first free name of the output pattern, which has
 * %n: numbers rise, also where files of lower ones were removed.  IDENTITY is that of the new file. */
TM_CHECKED int tm_snapshot_write_numbered(const char *moment, const struct tm_encoded *encoded,
                                          struct tm_file_identity *identity);

/* Under the life lock, too: writes the exit snapshot under the first free name of the output pattern and removes the
 * live store's file. */
TM_CHECKED int tm_snapshot_write_exit(const char *exit_moment);

#endif
