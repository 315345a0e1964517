/* SPDX-License-Identifier: MIT */
/* The live store's bytes: what lies in `tracemalloc.PID.live` and, at the same layout, in the traced process's memory.
 *
 *   file   +-----------------+----------+----------+----------+---
 *          | header (fixed)  | extent 0 | extent 1 | extent 2 | ...
 *          +-----------------+----------+----------+----------+---
 *
 * A section is an array that only grows; what is in it may come to mean something else when it is no longer needed
 * (aging_rounds).  It is cut into extents; the header lists which part of which section lies
 * where in the file.  In the process the extents of a section are mapped one behind the other, so that there a section
 * is one plain array.  A section's published length is moved after its items are complete.
 *
 * Native byte order and sizes: a store is read on the machine that it was made on.  The portable form is the snapshot.
 * Readers outside take a copy, then check everything: this memory changes under their eyes. */
#ifndef TM_STORE_STORE_LAYOUT_H
#define TM_STORE_STORE_LAYOUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define TM_STORE_MAGIC   "tmLIVE\r\n"
#define TM_STORE_VERSION 2U

enum tm_section_name {
    TM_STORE_STRINGS,    /* bytes: uint32_t length, the bytes, a zero byte, padding to 4; an id is offset / 4 */
    TM_STORE_FRAMES,     /* struct tm_stored_frame, of three kinds; id 0 is unused */
    TM_STORE_TRACEBACKS, /* struct tm_stored_traceback; id 0 is the empty one */
    TM_STORE_RECORDS,    /* struct tm_record; id 0 is unused */
    TM_STORE_PEAKS,      /* struct tm_record_peak, by record id */
    TM_STORE_LOOSE,      /* struct tm_record_loose, by record id */
    TM_STORE_SECTIONS,
};

/* A Python frame; or, so that machine frames need no section of their own, a loaded object (program or library), or a
 * machine frame: an instruction of such an object.
 *
 *              file             function                          line
 *   Python     string id        string id                         line
 *   object     path, string id  TM_FRAME_MODULE | string id of    0
 *                               the bytes of its build id
 *   machine    the object's     TM_FRAME_NATIVE                   address in the object's file
 *              frame id */
struct tm_stored_frame {
    uint32_t file;
    uint32_t function;
    uint32_t line;
};

#define TM_FRAME_NATIVE UINT32_MAX
#define TM_FRAME_MODULE UINT32_C(0x80000000) /* no string id is so large */

static inline bool tm_frame_is_native(const struct tm_stored_frame *frame)
{
    return frame->function == TM_FRAME_NATIVE;
}

static inline bool tm_frame_is_module(const struct tm_stored_frame *frame)
{
    return (frame->function & TM_FRAME_MODULE) != 0 && frame->function != TM_FRAME_NATIVE;
}

struct tm_stored_traceback {
    uint32_t parent; /* traceback of the older frames, 0: none; always a smaller id */
    uint32_t frame;  /* the most recent frame */
};

/* Counters of one (traceback, domain, size).  One cache line.
 *
 * Counted is what was handed out and what came back; what is live is the difference.  Where every block has the same
 * size (512 bytes at most) bytes follow from blocks and the two words of bytes stay 0.
 * A record has one owner, who writes it by plain additions: whoever holds the GIL ("held"), or one thread for what it
 * does without the GIL.  So there may be a record per owner of the same (traceback, domain, size).  What others take
 * back is added in the record's tm_record_loose.  The truth is the sum of both. */
struct tm_record {
    _Atomic uint64_t ever_blocks;
    _Atomic uint64_t freed_blocks;
    _Atomic uint64_t ever_bytes;  /* of varying sizes only */
    _Atomic uint64_t freed_bytes; /* likewise */
    _Atomic uint64_t temporary_blocks;
    _Atomic uint64_t marks; /* the peak marks (see tm_totals) when this record's peaks were saved */
    uint32_t traceback;
    uint32_t epoch; /* the epoch this record was made in */
    uint16_t size;  /* exact size of every block in bytes, or TM_SIZE_VARIES */
    uint8_t domain;
    _Atomic uint8_t has_loose; /* its tm_record_loose is not all zero */
    uint32_t stamp; /* low half: the owner.  High half the process's own: says that a free needs no second look */
};

/* TM_OWNER_HELD, the number of a tally, or TM_OWNER_NOBODY: all is in its loose words. */
#define TM_STAMP_OWNER(stamp) ((uint32_t)(stamp)&0xFFFFU)

#define TM_OWNER_HELD   0U
#define TM_OWNER_NOBODY 0xFFFFU

#define TM_SIZE_VARIES    UINT16_C(0xFFFF)
#define TM_STAMP_NEVER    UINT16_MAX /* high half */
#define TM_EXACT_SIZE_MAX 512U       /* bytes; larger blocks are in records of varying size */

/* What was live in a record at the highest traced memory.  Valid for the total whose half of `marks` is the current
 * one; otherwise the record did not change since that maximum and its live figures are its peak figures. */
struct tm_record_peak {
    _Atomic uint64_t python_blocks;
    _Atomic uint64_t python_bytes;
    _Atomic uint64_t heap_blocks;
    _Atomic uint64_t heap_bytes;
};

/* Additions made by others than the record's owner, by atomic adds.  More may come back here than was handed out here,
 * and the other way round: only the sums with the record's own words mean something. */
struct tm_record_loose {
    _Atomic uint64_t ever_blocks;
    _Atomic uint64_t freed_blocks;
    _Atomic uint64_t ever_bytes;
    _Atomic uint64_t freed_bytes;
};

/* Traced memory.  `python` is raw + mem + obj, `heap` has native too.  A new maximum is noticed when it is left, so
 * the true peak is the larger of peak and what is live now.
 *
 * The exact total is held + shared + all tallies.  Held + loose is what is known without looking at the tallies: each
 * thread may have TM_TALLY_REACH bytes that it has not told yet.  Maxima are noticed by it. */
struct tm_totals {
    _Atomic uint64_t python_held; /* bytes, as all here */
    _Atomic uint64_t native_held;
    _Atomic uint64_t python_peak;
    _Atomic uint64_t heap_peak;
    _Atomic uint64_t marks; /* low half: moved whenever a new python maximum is left; high half: heap maximum */
    uint64_t padding[3];
    _Atomic uint64_t python_loose;
    _Atomic uint64_t native_loose;
    _Atomic uint64_t python_shared; /* the part of loose that no tally has */
    _Atomic uint64_t native_shared;
    uint64_t more_padding[4];
};

/* What one thread counts without the GIL, in a cache line of its own: only the thread writes it.  A new thread takes
 * over the tally of one that is gone, as it is. */
struct tm_tally_line {
    _Atomic uint64_t python; /* bytes: all that came and went since the tally was begun, also across a clear */
    _Atomic uint64_t native;
    _Atomic uint64_t python_told; /* of it: added to the totals' loose words */
    _Atomic uint64_t native_told;
    _Atomic uint64_t python_base; /* what it was when the present base epoch began */
    _Atomic uint64_t native_base;
    _Atomic uint32_t is_used; /* a thread has it, or had it */
    uint32_t reserved[3];
};

#define TM_TALLY_MAX   48U
#define TM_TALLY_REACH 16384U /* bytes that came or went, and which a thread has not told */

struct tm_store_extent {
    uint32_t section;
    uint32_t reserved;
    uint64_t section_offset; /* bytes from the start of the section */
    uint64_t file_offset;    /* bytes from the start of the file; 0: in memory only, lost for a reader outside */
    uint64_t size;           /* bytes */
};

#define TM_STORE_EXTENT_MAX    1024U
#define TM_STORE_META_CAPACITY 24576U
#define TM_STORE_SPARSE_MAX    512U /* 32 GiB of traced addresses; what is more is not listed */

struct tm_store_header {
    char magic[8];
    uint32_t version;
    uint32_t header_size;
    uint32_t pid; /* in the process's own pid namespace */
    uint32_t parent_pid;
    uint32_t uid;
    uint32_t traceback_limit;
    uint64_t start_time_ns;
    char boot_id[40];
    _Atomic uint32_t epoch;      /* of new records */
    _Atomic uint32_t base_epoch; /* records of older epochs are not counted */
    _Atomic uint32_t tracing;
    _Atomic uint32_t stdlib_tracing;
    uint32_t python_hex;
    _Atomic uint32_t hook_reinstallations;
    _Atomic uint32_t hook_losses;
    _Atomic uint32_t anonymous_extents; /* extents that could not be put into the file */
    _Atomic uint64_t dropped_events;
    _Atomic uint64_t recycled_moves;
    _Atomic uint64_t lengths[TM_STORE_SECTIONS]; /* bytes published */
    _Atomic uint32_t extent_count;
    _Atomic uint32_t native_unmerged; /* stacks of machine frames in which Python's had no place */
    struct tm_totals totals __attribute__((aligned(64)));
    struct tm_store_extent extents[TM_STORE_EXTENT_MAX];
    /* Words of the process: items of uint8_t key length, key, uint16_t value length (low byte first), value.  A later
     * item of the same key wins. */
    _Atomic uint32_t meta_length;
    char meta[TM_STORE_META_CAPACITY];
    /* The tracer's memory beside this store, as of one of the last new records (0: written by a library that did not
     * say): tables that are there in whole, and addresses of ranges of which only what was touched is there. */
    _Atomic uint64_t whole_bytes;
    _Atomic uint64_t sparse_size; /* bytes of each range */
    _Atomic uint32_t sparse_count;
    _Atomic uint64_t sparse[TM_STORE_SPARSE_MAX];
    _Atomic uint64_t aged_records;  /* that became part of (aged out) */
    _Atomic uint64_t aging_rounds;  /* begun; an id means the same from any one round to the end of the next */
    _Atomic uint64_t merged_events; /* counted in the trace (merged), because the tracer neared its memory limit */
    _Atomic uint64_t sample_rate;   /* bytes; 0: every block was recorded */
    _Atomic uint32_t sampled_epoch; /* where sample_rate is not 0: records from this epoch on are estimates, which count
                                     * blocks in units of 1/65536 (base/sample_chance.h), also in their peaks */
    struct tm_tally_line tallies[TM_TALLY_MAX] __attribute__((aligned(64))); /* number n is at n - 1 */
    /* Of a forked child, else all 0.  Records of epochs before the fork's are of blocks that it inherited. */
    uint32_t fork_epoch;
    uint32_t forked_from; /* pid of the process that forked, as it knows itself */
    uint64_t fork_time_ns;
    _Atomic uint64_t recycled; /* how recycled objects are heard of: a word of eight bytes at most; 0: nobody said */
    /* System calls of the tracer that failed; of the first one its name, written before the count, and its errno
     * value. */
    _Atomic uint32_t failed_calls;
    uint32_t failed_call_errno;
    char failed_call[16];
};

#define TM_STORE_HEADER_SIZE 65536U /* bytes in file and memory */
_Static_assert(sizeof(struct tm_store_header) <= TM_STORE_HEADER_SIZE, "the header outgrew its place");
_Static_assert(sizeof(struct tm_record) == 64, "a record is one cache line");
_Static_assert(sizeof(struct tm_tally_line) == 64, "a tally is one cache line");
_Static_assert(sizeof(struct tm_record_peak) == 32 && sizeof(struct tm_record_loose) == 32, "record companions");

#endif
