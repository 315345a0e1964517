/* SPDX-License-Identifier: MIT */
/* Files of the process half: opened, used and closed within one operation, never through a link, mode 0600
 * whatever the umask.
 *
 * Descriptors are the application's numbers: none outlives a call of a module above.
 * Results are 0 (or a descriptor) or a negative errno value.  errno kept.  Signal safe. */
#ifndef TM_RUNTIME_OS_OS_FILE_H
#define TM_RUNTIME_OS_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Which file a path named when it was made: a different one at the same path is somebody else's. */
struct tm_file_identity {
    uint64_t device;
    uint64_t inode;
};

/* Makes PATH, which must not exist (-EEXIST). */
TM_CHECKED int tm_file_create(const char *path, struct tm_file_identity *identity);
/* Opens an existing file for reading and writing; -ESTALE when it is not the one of IDENTITY. */
TM_CHECKED int tm_file_reopen(const char *path, const struct tm_file_identity *identity);
void tm_file_close(int descriptor);

TM_CHECKED int tm_file_write(int descriptor, const void *bytes, size_t size);
TM_CHECKED int tm_file_write_at(int descriptor, const void *bytes, size_t size, uint64_t offset);

/* Makes sure that [offset, offset + size) has disk behind it: a hole would be SIGBUS on a full disk.  Looks at
 * RLIMIT_FSIZE first, passing which would kill the process. */
TM_CHECKED int tm_file_allocate(int descriptor, uint64_t offset, uint64_t size);

/* Writes zeros to [offset, offset + size), with the same look at the limit. */
TM_CHECKED int tm_file_write_zeros(int descriptor, uint64_t offset, uint64_t size);

/* Maps the range shared over AT (page aligned, replaced). */
TM_CHECKED int tm_file_map_at(int descriptor, uint64_t offset, size_t size, void *at);

TM_CHECKED int tm_file_sync(int descriptor);
/* REPLACE false: -EEXIST when TO is there.  True: only a regular file is replaced, else -EISDIR (also for a device, and
 * for a link into /proc, as /dev/stdout is). */
TM_CHECKED int tm_file_rename(const char *from, const char *to, bool replace);
int tm_file_remove(const char *path, const struct tm_file_identity *identity);

/* True when PATH's folder is on a file system known to carry a shared mapping well. */
bool tm_file_system_maps(const char *folder);

/* True when the file is on a tmpfs: no disk is behind it. */
bool tm_file_is_in_memory(int descriptor);

/* True when files can be made in FOLDER (with the effective ids). */
bool tm_folder_takes_files(const char *folder);

/* Reads at most CAPACITY bytes of a small file (/proc); the length, or a negative errno value. */
TM_CHECKED int64_t tm_file_read(const char *path, void *buffer, size_t capacity);

#endif
