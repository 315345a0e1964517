/* SPDX-License-Identifier: MIT */
/* The one struct tm_runtime.  Known to track and hook only.
 *
 * Locks, in rising rank: snapshot (making and writing them) < runtime (life) < intern (names to records) < store
 * (growth) < odd blocks < maps. */
#ifndef TM_RUNTIME_TRACK_RUNTIME_STATE_H
#define TM_RUNTIME_TRACK_RUNTIME_STATE_H

#include "runtime/os/os_lock.h"
#include "runtime/table/arena_table.h"
#include "runtime/table/block_table.h"
#include "runtime/table/code_table.h"
#include "runtime/table/frame_table.h"
#include "runtime/table/live_store.h"
#include "runtime/table/map_table.h"
#include "runtime/table/parent_cache.h"
#include "runtime/table/record_table.h"
#include "runtime/table/store_fork.h"
#include "runtime/table/string_table.h"
#include "runtime/table/trace_cache.h"
#include "runtime/table/traceback_table.h"
#include "runtime/track/aging.h"
#include "runtime/track/budget.h"
#include "base/config.h"
#include "runtime/track/due.h"
#include "runtime/track/origin.h"
#include "runtime/track/native_frames.h"
#include "runtime/track/runtime.h"
#include "runtime/track/sampled_frames.h"
#include "runtime/track/snapshot_series.h"
#include "runtime/track/tally.h"
#include "runtime/unwind/cpython_runtime.h"
#include "runtime/unwind/stack_cache.h"
#include "runtime/unwind/watermark.h"

/* What the doors may do.  In a page of its own that a forked child finds zeroed (MADV_WIPEONFORK), so that a child
 * made by whatever way looks after its store before its first event. */
enum tm_life {
    TM_LIFE_UNKNOWN, /* not begun, or just forked: look */
    TM_LIFE_OFF,     /* nothing is recorded and nothing is looked up: disabled for ever */
    TM_LIFE_STOPPED, /* frees are heard, allocations are not recorded */
    TM_LIFE_YOUNG,   /* tracing in a forked child that has hardly done anything: each allocation looks, see fork.h */
    TM_LIFE_TRACING,
    TM_LIFE_THINNED, /* the same, but each allocation looks whether it is sampled: see track/budget.h */
};

/* Shorter ones have half a slot; where a quick way is open, the granule is 16. */
#define TM_QUICK_SIZE_MIN 17U

struct tm_life_page {
    _Atomic uint32_t life; /* enum tm_life */
    /* Not 0: tracker_sampled.h may record, or take. */
    _Atomic uint32_t sampled_allocs;
    _Atomic uint32_t sampled_frees;
    /* The two of top_sizes and stack_sizes at doors over CPython's own allocator of small blocks; 0 also where their
     * calls need a look. */
    _Atomic uint64_t small_top_sizes;
    _Atomic uint64_t small_stack_sizes;
    /* How many sizes, from TM_QUICK_SIZE_MIN bytes on, may go a quick way: tracing, one GIL, 3.11 and later.  0: none.
     * As wide as a size, so that one instruction compares. */
    _Atomic uint64_t top_sizes;   /* with one frame per traceback */
    _Atomic uint64_t stack_sizes; /* with more */
    /* The same for those whose tracebacks have machine frames, from 0 bytes on. */
    _Atomic uint32_t native_sizes;
    _Atomic uint32_t stamp; /* frees of records with this stamp may go the quick way; 0: none may */
    /* The same until a maximum may be where python_limit does not say: then 0, see peak_limit.h. */
    _Atomic uint32_t free_stamp;
    /* Frames per traceback of native blocks that tm_tracker_alloc_native may record; 0: none. */
    _Atomic uint32_t native_frames;
    _Atomic uint32_t native_stamp; /* not 0: tm_tracker_take_held may take */
    _Atomic uint64_t
        python_limit; /* bytes: a free leaves no maximum while python_held, as a signed number, is not above */
    _Atomic uint64_t native_limit; /* bytes: and while native_loose is not, likewise */
    _Atomic uint64_t heap_limit;   /* bytes: what python_limit is where Python's own peak leaves more */
    /* The same for events of a thread without the GIL, in its own tally. */
    _Atomic uint32_t own_stamp; /* without the tally's number */
    _Atomic uint32_t own_sizes; /* while there is no interpreter */
} __attribute__((aligned(4096)));

/* Machine frames are wanted of some events. */
#define TM_WAY_NATIVE UINT32_MAX

/* Who forked a process, and when; all 0: past pthread_atfork. */
struct tm_forked {
    uint32_t from; /* pid */
    uint64_t time_ns;
};

#define TM_CACHE_LINE 64U

/* Where the quick ways find the thread state: copies of what struct tm_cpython has, made before one of them opens. */
struct tm_quick_python {
    union tm_quick_state {
        const uintptr_t *holders; /* one GIL for all interpreters: the word with the state of its holder */
        intptr_t own;             /* from the thread pointer to the thread's own */
    } state;
    const uintptr_t *main_interpreter;
};

struct tm_runtime {
    /* Read by every event: the last words of blocks, the first ones of cache and what is between them are one line, and
     * no other data of this structure is read where a block has one frame and all goes well. */
    uint8_t to_the_line[2 * TM_CACHE_LINE - offsetof(struct tm_block_table, odd_bits) % TM_CACHE_LINE];
    struct tm_block_table blocks;
    uintptr_t base; /* of the store: where its record 0 is; see tm_base_record_of and what follows */
    /* The newest frame at the last event with one frame, or TM_STACK_NOWHERE.  Of the holder of the GIL. */
    uintptr_t top_frame;
    struct tm_quick_python quick_python;
    struct tm_trace_cache cache;
    struct tm_totals *totals;
    struct tm_record_table records;
    const struct tm_cpython_layout *layout; /* NULL: no Python frames */
    uint32_t traceback_limit;
    uint32_t way; /* of events that no quick way serves: the limit, or TM_WAY_NATIVE */
    _Atomic uint32_t epoch;
    _Atomic uint32_t base_epoch;
    bool python_is_found;
    uintptr_t program_begin, program_end; /* see tm_process_program */
    bool layout_is_decided;               /* layout was checked against real frames, or there is none */
    bool free_threaded;
    _Atomic bool doors_are_usual; /* see tm_runtime_note_doors */
    uint32_t sampled_epoch;       /* records from this epoch on were sampled; UINT32_MAX: none */
    uint64_t sample_rate;         /* bytes; 0: every block is recorded */
    _Alignas(TM_CACHE_LINE) struct tm_stack_cache held_stack; /* of events under the GIL; its notes are tracebacks */
    struct tm_watermark watermark;                            /* of held_stack */
    uint32_t notes_generation;                                /* of the trace cache, when the notes were made */
    struct tm_tally tallies[TM_TALLY_MAX];

    /* Slow paths. */
    struct tm_lock snapshot_lock;
    _Atomic uint32_t name_readers; /* snapshots under way outside the life lock: names stay what they are */
    struct tm_lock life_lock;
    uint32_t breaks; /* epochs begun and peaks forgotten; under the life lock */
    struct tm_lock intern_lock;
    struct tm_live_store store;
    struct tm_string_table strings;
    struct tm_frame_table frames;
    struct tm_traceback_table tracebacks;
    struct tm_code_table codes;
    struct tm_sampled_frames sampled_frames; /* under the intern lock */
    struct tm_parent_cache parents;          /* of what held_stack was */
    struct tm_native_state native;
    struct tm_cpython python;
    struct tm_config config;
    struct tm_arena_table arenas;
    struct tm_due due;
    struct tm_origin origin;
    struct tm_snapshot_series series;
    struct tm_lock maps_lock;
    struct tm_map_table maps;
    struct tm_store_fork fork_image;
    struct tm_forked forked;        /* of a child that has had no event yet, and inside fork of the child to be */
    struct tm_forked forked_before; /* inside fork: what the parent gets back */
    bool has_forked;                /* there are, or were, children of this process with its memory */
    char *scratch;                  /* one name being copied; under the intern lock */
    size_t scratch_size;
    struct tm_aging aging;
    struct tm_budget budget;
    uint64_t sample_seed;
    _Atomic uint64_t sample_threads; /* that have begun to sample */
    uint32_t pid;
    uint32_t first_pid;     /* of the process in which tracing began: descendants differ */
    unsigned store_attempt; /* the suffix of the store's name, which the exit snapshot takes over; 0, 1: none */
    unsigned last_number;   /* %n of the last snapshot that the tracer wrote by itself; 0: none yet */
    int last_failure;       /* status of the last such write: what was said is not said again */
    uint32_t told_failures; /* system calls that failed, as of the last snapshot */
    const char *told_call;  /* the last one that a line on stderr named, and its errno value */
    uint32_t told_error;
    bool told_store; /* that it stays in memory although a folder was named for it */
    bool is_disabled;
    bool fork_has_locks; /* the prepare handler took them */
    bool fork_has_maps;  /* likewise maps_lock */
    bool python_has_begun;
    bool exit_snapshot_done;
    bool may_tell_failures; /* the exit snapshot is written, what failed since is in none */
    bool start_is_pending;  /* START=python waits for its moment */
    enum tm_life life_before_fork;
    _Atomic uint32_t young_events; /* of a forked child, see tm_fork_age */
    char output[TM_PATH_CAPACITY]; /* the pattern, absolute where it could be made so */
    char store_folder[TM_PATH_CAPACITY];
    char exit_path[TM_PATH_CAPACITY]; /* of the exit snapshot that this process wrote; empty: none yet */
    const char *folder_notice;        /* to be said when Python begins; NULL: nothing */
    const char *outer_malloc;         /* path of the object whose malloc comes before ours; NULL: none */
    const char *start_moment;
    const char *recycled;
    const char *exit_moment;
} __attribute__((aligned(TM_CACHE_LINE)));

_Static_assert(offsetof(struct tm_runtime, blocks.odd_bits) % TM_CACHE_LINE == 0 &&
                   offsetof(struct tm_runtime, cache.mask) + sizeof(uint64_t) ==
                       offsetof(struct tm_runtime, blocks.odd_bits) + TM_CACHE_LINE,
               "what every event reads is one line");

extern TM_HIDDEN struct tm_runtime tm_runtime;
extern TM_HIDDEN struct tm_life_page tm_life_page;

TM_INLINE enum tm_life tm_life_now(void)
{
    return (enum tm_life)atomic_load_explicit(&tm_life_page.life, memory_order_relaxed);
}

TM_INLINE bool tm_life_is_tracing(void)
{
    return tm_life_now() >= TM_LIFE_YOUNG;
}

/* What a quick way reads of the tables it finds from one pointer: the directory of the block table ends where the
 * store's header begins, and that where its records begin. */
_Static_assert(TM_DIRECTORY_BYTES == TM_STORE_ROOM, "the room before the header is the directory's");

/* The record whose id times 8 is SCALED. */
TM_INLINE struct tm_record *tm_base_record_scaled(uintptr_t base, uint64_t scaled)
{
    return (struct tm_record *)(base + scaled * (sizeof(struct tm_record) / 8));
}

TM_INLINE struct tm_record *tm_base_record_of(uintptr_t base, uint32_t word)
{
    return tm_base_record_scaled(base, tm_slot_scaled(word));
}

TM_INLINE struct tm_totals *tm_base_totals(uintptr_t base)
{
    return (struct tm_totals *)(base - TM_STORE_HEADER_SIZE + offsetof(struct tm_store_header, totals));
}

TM_INLINE const _Atomic uintptr_t *tm_base_leaves(uintptr_t base)
{
    return (const _Atomic uintptr_t *)(base - TM_STORE_HEADER_SIZE - TM_STORE_ROOM);
}

/* The record of the plain WORD of a block. */
TM_INLINE struct tm_record *tm_runtime_record_of(const struct tm_runtime *runtime, uint32_t word)
{
    return tm_base_record_of(runtime->base, word);
}

/* The record of the short block whose half HALF is. */
TM_INLINE struct tm_record *tm_runtime_record_of_short(const struct tm_runtime *runtime, uint16_t half)
{
    return &runtime->records.records[tm_short_table_record(&runtime->blocks.shorts, half >> TM_HALF_SHIFT)];
}

void tm_life_set(enum tm_life life);

/* Makes room for stacks of LIMIT frames and empties the stack cache.  False without memory: nothing is changed. */
TM_CHECKED bool tm_runtime_set_limit(unsigned limit);

/* Looks why the life is unknown: true when the event may go on (a forked child has its own store now). */
bool tm_life_recover(void);

/* An allocation of SIZE bytes while the life is not TM_LIFE_TRACING: true when it may be recorded all the same. */
TM_COLD bool tm_life_may_record(size_t size);

/* Begins an epoch: nothing that is live now is counted any more when BASE is true.  Under the life lock. */
void tm_runtime_new_epoch(bool base);

/* Sets what the quick ways ask; called whenever one of the conditions may have changed. */
void tm_runtime_decide_quick(void);

/* USUAL: the doors of mem and obj lie on top, over CPython's own allocator of small blocks, and none of their calls
 * needs a look.   Threads  any.   Signals  safe. */
void tm_runtime_note_doors(bool usual);

/* The watermark is on, or was given up. */
TM_COLD void tm_runtime_watermark_has_changed(void);

/* The name number NUMBER of the output pattern for this process, to TO.  False when it does not fit. */
TM_CHECKED bool tm_runtime_output_name(unsigned number, char *to, size_t capacity);

/* Adds KEY = zero-terminated VALUE to the store's words. */
void tm_runtime_say(const char *key, const char *value);

#endif
