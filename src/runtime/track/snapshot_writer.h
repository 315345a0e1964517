/* SPDX-License-Identifier: MIT */
/* The tables become a file: encoded in pages of our own, written under a temporary name, renamed.
 *
 * Under the life lock, with the guard up.   errno  kept.   Result: 0 or a negative errno value. */
#ifndef TM_RUNTIME_TRACK_SNAPSHOT_WRITER_H
#define TM_RUNTIME_TRACK_SNAPSHOT_WRITER_H

#include <stdbool.h>

#include "base/compiler.h"
#include "runtime/os/os_file.h"

/* Writes the present state to PATH, replacing what is there.  MOMENT is a word for the snapshot.  BLOCKS: single blocks
 * too, as where the option says so. */
TM_CHECKED int tm_snapshot_write(const char *path, const char *moment, bool sync, bool blocks);

/* Writes it under the first free name of the output pattern, which has %n: numbers rise, also where files of lower ones
 * were removed.  IDENTITY is that of the new file. */
TM_CHECKED int tm_snapshot_write_numbered(const char *moment, struct tm_file_identity *identity);

/* Writes the exit snapshot under the first free name of the output pattern and removes the live store's file. */
TM_CHECKED int tm_snapshot_write_exit(const char *exit_moment);

#endif
