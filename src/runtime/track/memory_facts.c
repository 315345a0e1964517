/* SPDX-License-Identifier: MIT */
#include "runtime/track/memory_facts.h"

#include "runtime/os/own_pages.h"
#include "runtime/os/resident_memory.h"
#include "runtime/os/thread_state.h"
#include "runtime/track/loose_walk.h"
#include "runtime/track/map_tracker.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/tracker.h"

/* Bytes of resident memory from which on the kernel takes milliseconds for smaps. */
#define BRIEF_FROM (UINT64_C(128) << 20)

/* Bytes of the largest arena of any CPython (3.10 on; before them 256 KiB). */
#define EXPECTED_MAX (1U << 20)

bool (*tm_runtime_ask_libc)(struct tm_libc_memory *memory);

/* CPython fills its arenas from end to end.  Not where memory is short, nor for what is no usual arena. */
static void expect_blocks(uintptr_t arena, size_t size)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (size <= EXPECTED_MAX && tm_life_is_tracing() && runtime->sample_rate == 0 && runtime->budget.limit == 0) {
        tm_block_table_expect(&runtime->blocks, arena, size);
    }
}

void tm_runtime_note_arena(const void *arena, size_t size, enum tm_arena_news news)
{
    if (news == TM_ARENA_NEW) {
        tm_arena_table_add(&tm_runtime.arenas, (uintptr_t)arena, size);
        expect_blocks((uintptr_t)arena, size);
        tm_budget_look(tm_thread_self());
    } else {
        struct tm_thread *thread = tm_thread_self();
        tm_loose_walks_wait(thread, 0);
        if (news != TM_ARENA_UNTRACED) {
            tm_tracker_forget_area(thread, arena, size);
        }
        tm_arena_table_remove(&tm_runtime.arenas, (uintptr_t)arena, size);
    }
}

struct fact_list {
    struct tm_encode_fact *facts;
    unsigned count;
};

static void add(struct fact_list *list, const char *key, uint64_t number)
{
    list->facts[list->count++] = (struct tm_encode_fact){.key = key, .number = number};
}

static void add_resident_parts(struct fact_list *list, const struct tm_resident_memory *memory)
{
    add(list, "rss_bytes", memory->rss);
    add(list, "pss_bytes", memory->pss);
    add(list, "swap_bytes", memory->swap);
    add(list, "rss_heap", memory->heap);
    add(list, "rss_stack", memory->stack);
    add(list, "rss_anonymous", memory->anonymous);
    add(list, "rss_file", memory->file);
    add(list, "rss_file_own", memory->file_own);
    add(list, "rss_shared", memory->shared);
    add(list, "rss_store", memory->store);
}

/* The store's pages are among those of files, or of a tmpfs. */
static void take_store_out(struct tm_resident_memory *memory, bool in_file)
{
    uint64_t store = in_file ? tm_live_store_bytes(&tm_runtime.store) : 0;
    uint64_t *from = store <= memory->file ? &memory->file : &memory->shared;
    memory->store = store < *from ? store : *from;
    *from -= memory->store;
}

/* What smaps alone tells is left out. */
static void add_resident_sums(struct fact_list *list, const struct tm_resident_memory *memory)
{
    struct tm_own_pages own;
    add(list, "rss_bytes", memory->rss);
    add(list, "swap_bytes", memory->swap);
    add(list, "rss_file", memory->file);
    add(list, "rss_shared", memory->shared);
    add(list, "rss_store", memory->store);
    if (tm_own_pages_read(&own)) {
        add(list, "rss_file_own", own.file);
        add(list, "rss_stack", own.stack);
    }
}

/* Parent and child have pages in common, and want to know their share, which smaps alone tells. */
static bool is_of_family(const struct tm_runtime *runtime)
{
    return runtime->has_forked || runtime->store.header->forked_from != 0;
}

static void add_resident(struct fact_list *list, const char *store, bool in_brief)
{
    const struct tm_runtime *runtime = &tm_runtime;
    struct tm_resident_memory memory;
    /* Smaps takes a quarter of all that a short process pays for being sampled. */
    bool is_light = runtime->config.sample_rate != 0 && !is_of_family(runtime);
    if ((in_brief || is_light) && tm_resident_memory_read_sums(&memory) && (is_light || memory.rss > BRIEF_FROM)) {
        take_store_out(&memory, store != NULL);
        add_resident_sums(list, &memory);
    } else if (tm_resident_memory_read(&memory, store)) {
        add_resident_parts(list, &memory);
    }
}

static void add_arenas(struct fact_list *list)
{
    const struct tm_arena_table *arenas = &tm_runtime.arenas;
    if (tm_runtime.python.get_arena_allocator != NULL) {
        add(list, "arenas", atomic_load(&arenas->count));
        add(list, "arena_bytes", atomic_load(&arenas->bytes));
        add(list, "arena_rss", tm_arena_table_resident(arenas));
    }
}

static void add_libc(struct fact_list *list)
{
    struct tm_libc_memory libc;
    if (tm_runtime_ask_libc != NULL && tm_runtime_ask_libc(&libc)) {
        add(list, "libc_used", libc.used);
        add(list, "libc_free", libc.free);
        add(list, "libc_mapped", libc.mapped);
    }
}

static void add_maps(struct fact_list *list)
{
    struct tm_map_sums sums;
    if (tm_map_tracker_sums(&sums)) {
        add(list, "map_reserved", sums.bytes[TM_MAP_RESERVED]);
        add(list, "map_reserved_ranges", sums.counts[TM_MAP_RESERVED]);
        add(list, "map_file", sums.bytes[TM_MAP_FILE]);
        add(list, "map_file_ranges", sums.counts[TM_MAP_FILE]);
        add(list, "map_rss", sums.resident);
    }
}

unsigned tm_resident_facts_add(struct tm_encode_fact *facts, unsigned count, const char *store, bool in_brief)
{
    struct fact_list list = {facts, count};
    size_t block_table;
    size_t tracer = tm_runtime_tracer_bytes_with(&block_table);
    size_t in_file = store != NULL ? tm_live_store_bytes(&tm_runtime.store) : 0;
    add(&list, "tracer_bytes", tracer);
    add(&list, "tracer_anonymous", tracer > in_file ? tracer - in_file : 0);
    add(&list, "tracer_block_table", block_table);
    add_resident(&list, store, in_brief);
    return list.count;
}

unsigned tm_allocator_facts_add(struct tm_encode_fact *facts, unsigned count, bool ask_libc)
{
    struct fact_list list = {facts, count};
    add_arenas(&list);
    add_maps(&list);
    if (ask_libc) {
        add_libc(&list);
    }
    return list.count;
}
