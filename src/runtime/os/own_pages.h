/* SPDX-License-Identifier: MIT */
/* Pages that are this process's alone although their mapping is of a file, and those of the main thread's stack.
 *
 * The kernel has no sum of them at hand.  So that it need not look through all memory, as for smaps, only those mappings
 * are asked for that may have such pages: files that may be written to, and what lies before one in memory, of the same
 * file and read-only: the loader writes there before it takes the right to write away (RELRO).
 *
 * Signal safe; errno kept; no memory beyond the stack.
 * Source: Linux, include/uapi/linux/fs.h (PROCMAP_QUERY, Linux 6.11), Documentation/filesystems/proc.rst (maps). */
#ifndef TM_RUNTIME_OS_OWN_PAGES_H
#define TM_RUNTIME_OS_OWN_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In bytes, of resident memory. */
struct tm_own_pages {
    uint64_t file;  /* changed pages of mapped files */
    uint64_t stack; /* of the main thread */
};

/* False where the kernel does not tell; OWN is all zero then. */
bool tm_own_pages_read(struct tm_own_pages *own);

/* A mapping, as far as it matters here. */
struct tm_mapping {
    uintptr_t begin, end;
    uint64_t inode; /* 0: it has no file */
    bool is_writable;
    bool is_shared;
    bool is_stack; /* of the main thread */
};

/* Reads a line of /proc/PID/maps. */
bool tm_mapping_of_line(struct tm_mapping *mapping, const char *line, size_t length);

/* Whether pages of the mapping BEFORE may have been changed by whoever loaded the file of NEXT. */
bool tm_mapping_was_writable(const struct tm_mapping *before, const struct tm_mapping *next);

/* tm_own_pages_read from the lines of maps alone, as where the kernel does not answer queries. */
bool tm_own_pages_read_lines(struct tm_own_pages *own);

#endif
