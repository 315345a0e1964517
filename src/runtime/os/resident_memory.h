/* SPDX-License-Identifier: MIT */
/* Which parts of this process have pages behind them now: /proc/self/smaps summed up by kind of mapping.
 *
 * The kernel walks the page tables for it: about a millisecond per 100 MiB.  So it is for snapshots, not for events.
 * Signal safe; errno kept; no memory beyond the stack.
 * Source: Linux, Documentation/filesystems/proc.rst (the form of smaps). */
#ifndef TM_RUNTIME_OS_RESIDENT_MEMORY_H
#define TM_RUNTIME_OS_RESIDENT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All in bytes. */
struct tm_resident_memory {
    uint64_t rss;       /* resident set size: the sum of all below */
    uint64_t pss;       /* likewise, each shared page divided by those who share it */
    uint64_t swap;      /* not in rss */
    uint64_t heap;      /* [heap]: what libc's malloc got by brk */
    uint64_t stack;     /* [stack]: of the main thread; those of others are anonymous */
    uint64_t anonymous; /* other private memory without a file: arenas, big blocks, thread stacks, our own tables */
    uint64_t file;      /* pages of mapped files as they are on disk: code, data, fonts */
    uint64_t file_own;  /* pages of mapped files that were changed since: variables of libraries */
    uint64_t shared;    /* shared memory: POSIX, System V, memfd, tmpfs */
    uint64_t store;     /* the file of the live store */
};

/* What is known of the mapping that is being read. */
enum tm_mapping_kind {
    TM_MAPPING_NONE,
    TM_MAPPING_ANONYMOUS,
    TM_MAPPING_HEAP,
    TM_MAPPING_STACK,
    TM_MAPPING_FILE,
    TM_MAPPING_SHARED,
    TM_MAPPING_STORE,
};

/* Adds the line LINE of LENGTH bytes (no line end) of smaps; *KIND is TM_MAPPING_NONE before the first one.
 * STORE is the path of the store's file, or NULL. */
void tm_resident_add_line(struct tm_resident_memory *memory, enum tm_mapping_kind *kind, const char *line,
                          size_t length, const char *store);

/* False where /proc cannot tell; MEMORY is all zero then. */
bool tm_resident_memory_read(struct tm_resident_memory *memory, const char *store);

/* Adds the line LINE of LENGTH bytes of /proc/self/status. */
void tm_resident_add_status_line(struct tm_resident_memory *memory, const char *line, size_t length);

/* What the kernel counts anyway, in a hundredth of a millisecond whatever the size: rss, swap, file, shared, and
 * anonymous, which has heap and stack and what was changed of mapped files in it (see own_pages.h for these two).  All
 * else is 0; the store is in file, or in shared where its folder is a tmpfs. */
bool tm_resident_memory_read_sums(struct tm_resident_memory *memory);

#endif
