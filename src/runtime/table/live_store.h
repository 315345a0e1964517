/* SPDX-License-Identifier: MIT */
/* The live store in its process: address space for each section, growth, and the way from memory into a file.
 *
 * Begin    in anonymous memory; tm_live_store_to_file later writes everything out and maps the file over it, at the
 *          same addresses.
 * Threads  growth takes the store's lock; addresses of sections never change, so readers need none.
 * Files    no descriptor outlives a call; growth opens the file again and checks that it is still the same one.
 *          Where that fails, growth goes on in memory and the header counts it (anonymous_extents).
 * Errors   false or a negative errno value; the store stays usable as it was.   errno  kept. */
#ifndef TM_RUNTIME_TABLE_LIVE_STORE_H
#define TM_RUNTIME_TABLE_LIVE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/os/os_file.h"
#include "runtime/os/os_lock.h"
#include "store/store_layout.h"

#define TM_PATH_CAPACITY 4096U

/* Bytes of address space before the header, which ends where the records begin: for what is found from there without a
 * pointer of its own. */
#define TM_STORE_ROOM (UINT64_C(16) << 20)

struct tm_live_store {
    uint8_t *room; /* nothing is mapped there yet */
    struct tm_store_header *header;
    uint8_t *sections[TM_STORE_SECTIONS];
    uint64_t reserved[TM_STORE_SECTIONS];       /* bytes of address space */
    _Atomic uint64_t mapped[TM_STORE_SECTIONS]; /* bytes that are there, from the start */
    _Atomic uint64_t ready[TM_STORE_SECTIONS];  /* of them: those whose pages were asked for; others would fault */
    struct tm_lock lock;
    bool is_small; /* set before it begins: little is to be expected in it, so its sections begin small */
    bool in_file;
    bool is_removed; /* the file: it has no name any more, only what is mapped of it */
    bool in_memory;  /* the file: it is on a tmpfs */
    bool fills;      /* as long as that works: pages of the file are written before they are touched */
    bool has_filled;
    uint64_t filled[TM_STORE_SECTIONS]; /* bytes of which that was done, from the start */
    struct tm_file_identity identity;
    uint64_t file_size;
    char path[TM_PATH_CAPACITY];
};

/* False without memory: nothing can be traced then. */
TM_CHECKED bool tm_live_store_begin(struct tm_live_store *store);

/* Gives back address space that RLIMIT_AS, as it is now, does not leave for it.  What is mapped stays. */
void tm_live_store_fit(struct tm_live_store *store);

/* Makes the first BYTES of SECTION usable.  False when there is no room. */
TM_CHECKED bool tm_live_store_grow(struct tm_live_store *store, enum tm_section_name section, uint64_t bytes);

/* True when they are usable. */
TM_INLINE bool tm_live_store_has(const struct tm_live_store *store, enum tm_section_name section, uint64_t bytes)
{
    return TM_LIKELY(bytes <= atomic_load_explicit(&store->ready[section], memory_order_acquire));
}

/* tm_live_store_grow, where they mostly are already. */
TM_INLINE bool tm_live_store_need(struct tm_live_store *store, enum tm_section_name section, uint64_t bytes)
{
    return tm_live_store_has(store, section, bytes) || tm_live_store_grow(store, section, bytes);
}

/* Enters an extent; the count is moved last. */
TM_INLINE void tm_live_store_publish_extent(struct tm_store_header *header, unsigned section, uint64_t section_offset,
                                            uint64_t file_offset, uint64_t size)
{
    uint32_t count = atomic_load_explicit(&header->extent_count, memory_order_relaxed);
    header->extents[count] = (struct tm_store_extent){
        .section = section, .section_offset = section_offset, .file_offset = file_offset, .size = size};
    atomic_store_explicit(&header->extent_count, count + 1, memory_order_release);
}

/* Maps SIZE bytes of the file at FILE_OFFSET over those from AT on of SECTION; a negative errno value when that cannot
 * be.  For live_store*.c only. */
TM_CHECKED int tm_live_store_map_extent(struct tm_live_store *store, unsigned section, uint64_t at, int descriptor,
                                        uint64_t file_offset, uint64_t size);

/* Moves the store into a new file at PATH, from memory or from one that was removed; -EEXIST when that is taken, other
 * negative errno values when it cannot be. */
TM_CHECKED int tm_live_store_to_file(struct tm_live_store *store, const char *path);

/* True when all of it is in its file, so that the file alone can be read after the process. */
bool tm_live_store_is_whole(const struct tm_live_store *store);

/* Takes the file away (it was made by this process). */
void tm_live_store_remove_file(struct tm_live_store *store);

/* What a store was at a moment: the first bytes[section] bytes of its sections. */
struct tm_store_image {
    const uint8_t *header;
    const uint8_t *sections[TM_STORE_SECTIONS];
    uint64_t bytes[TM_STORE_SECTIONS]; /* 0: not in the image */
    bool valid;
};

/* In a forked child: turns the pages shared with the parent into private copies, of the sections in IMAGE as they are
 * there, of others (and all where IMAGE is NULL or not valid) as the parent has them now. */
TM_CHECKED bool tm_live_store_detach(struct tm_live_store *store, const struct tm_store_image *image);

/* In a forked child that is not traced: lets go of the parent's file.  Records stay as they were, because
 * quick ways look at their stamps; all else reads as zeros. */
void tm_live_store_drop(struct tm_live_store *store);

/* Bytes used by all sections and the header. */
size_t tm_live_store_bytes(const struct tm_live_store *store);

/* Adds KEY = VALUE to the words of the header; a later one of the same key wins.  False when there is no room. */
bool tm_live_store_add_meta(struct tm_live_store *store, const char *key, const void *value, size_t length);

#endif
