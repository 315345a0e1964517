/* SPDX-License-Identifier: MIT */
#include "runtime/track/runtime_state.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/os/os_memory.h"
#include "runtime/track/fork.h"
#include "runtime/track/peak_limit.h"
#include "runtime/track/output_path.h"
#include "runtime/track/tracker.h"
#include "runtime/track/tracker_quick.h"

struct tm_runtime tm_runtime;
struct tm_life_page tm_life_page;

void tm_life_set(enum tm_life life)
{
    if (life >= TM_LIFE_TRACING) {
        life = tm_runtime.budget.thins ? TM_LIFE_THINNED : TM_LIFE_TRACING;
    }
    if (life != TM_LIFE_UNKNOWN) {
        /* Also for children that no fork handler saw. */
        tm_runtime.life_before_fork = life == TM_LIFE_YOUNG ? TM_LIFE_TRACING : life;
    }
    atomic_store_explicit(&tm_life_page.life, (uint32_t)life, memory_order_release);
    tm_runtime_decide_quick();
}

void tm_runtime_say(const char *key, const char *value)
{
    if (tm_runtime.store.header != NULL) {
        (void)tm_live_store_add_meta(&tm_runtime.store, key, value, strlen(value));
    }
}

bool tm_runtime_output_name(unsigned number, char *to, size_t capacity)
{
    const struct tm_runtime *runtime = &tm_runtime;
    return tm_output_name(runtime->output, runtime->pid, runtime->pid != runtime->first_pid, number, to, capacity);
}

/* Room for any limit, once: an event under the GIL may be writing here while the limit changes.  Pages come when they
 * are touched. */
static bool make_room_for_stack(struct tm_stack_cache *stack)
{
    enum { MOST = TM_STACK_BEFORE + TM_STACK_HIDDEN_MAX + TM_TRACEBACK_LIMIT_MAX };
    struct room {
        struct tm_raw_frame frames[MOST];
        uint64_t hashes[MOST];
        uint32_t notes[MOST];
    };
    struct room *room = tm_pages_map_sparse(sizeof *room);
    if (room == NULL) {
        return false;
    }
    tm_stack_cache_init(stack, room->frames, room->hashes, room->notes);
    return true;
}

bool tm_runtime_set_limit(unsigned limit)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (runtime->held_stack.frames == NULL && !make_room_for_stack(&runtime->held_stack)) {
        return false;
    }
    runtime->held_stack.versions = runtime->cache.versions;
    __atomic_store_n(&runtime->traceback_limit, limit, __ATOMIC_RELAXED);
    tm_runtime_decide_quick();
    return true;
}

/* Once more where a word it was made of changed meanwhile: then whoever changed it may have come first. */
static void decide_small(void)
{
    uint64_t top, stack;
    bool usual;
    do {
        top = atomic_load(&tm_life_page.top_sizes);
        stack = atomic_load(&tm_life_page.stack_sizes);
        usual = atomic_load(&tm_runtime.doors_are_usual);
        atomic_store(&tm_life_page.small_top_sizes, usual ? top : 0);
        atomic_store(&tm_life_page.small_stack_sizes, usual ? stack : 0);
    } while (atomic_load(&tm_life_page.top_sizes) != top || atomic_load(&tm_life_page.stack_sizes) != stack ||
             atomic_load(&tm_runtime.doors_are_usual) != usual);
}

void tm_runtime_note_doors(bool usual)
{
    atomic_store(&tm_runtime.doors_are_usual, usual);
    decide_small();
}

#if defined(__SANITIZE_THREAD__)
#define MAY_PEEK false /* what is read while it is written is not believed, but the sanitizer does not know */
#else
#define MAY_PEEK true
#endif

static void decide_sampled(const struct tm_runtime *runtime)
{
    const struct tm_cpython *python = &runtime->python;
    bool has_maker = runtime->python_is_found && !runtime->free_threaded && python->row.release != 0 &&
                     python->this_thread != NULL && tm_cpython_getter_is_place(&python->current) &&
                     (!python->row.tstate_current_is_own || tm_cpython_getter_is_place(&python->main_interpreter));
    bool may_take = runtime->config.sample_rate != 0 && runtime->sample_rate != 0 && !runtime->config.slow &&
                    tm_life_now() == TM_LIFE_TRACING && has_maker;
    bool has_places =
        runtime->layout != NULL && runtime->layout->chain != TM_CHAIN_OBJECT && runtime->layout->code_tlbc == 0;
    bool may_record = may_take && MAY_PEEK && has_places && runtime->way == 1 && runtime->budget.limit == 0 &&
                      atomic_load_explicit(&runtime->epoch, memory_order_relaxed) >= runtime->sampled_epoch;
    atomic_store_explicit(&tm_life_page.sampled_allocs, may_record, memory_order_relaxed);
    atomic_store_explicit(&tm_life_page.sampled_frees, may_take, memory_order_relaxed);
}

void tm_runtime_decide_quick(void)
{
    struct tm_runtime *runtime = &tm_runtime;
    const struct tm_cpython_layout *layout = runtime->layout;
    const struct tm_cpython *python = &runtime->python;
    bool has_native = runtime->config.native != TM_NATIVE_OFF && runtime->native.is_ready;
    tm_watermark_lift(&runtime->watermark); /* events may have passed unheard */
    bool is_plain = !has_native || runtime->config.native == TM_NATIVE_LIBC;
    __atomic_store_n(&runtime->way, has_native ? TM_WAY_NATIVE : runtime->traceback_limit, __ATOMIC_RELAXED);
    bool has_one_gil = !runtime->config.slow && runtime->sample_rate == 0 && tm_life_now() == TM_LIFE_TRACING &&
                       runtime->python_is_found && !runtime->free_threaded && python->row.release != 0 &&
                       tm_cpython_getter_is_place(&python->current) &&
                       (!python->row.tstate_current_is_own || tm_cpython_getter_is_place(&python->main_interpreter));
    if (has_one_gil) {
        runtime->quick_python = tm_quick_python_of(python); /* before a word below opens a way that reads it */
        __atomic_store_n(&runtime->top_frame, TM_STACK_NOWHERE, __ATOMIC_RELAXED);
        atomic_signal_fence(memory_order_seq_cst);
    }
    bool has_places = has_one_gil && layout != NULL && layout->chain != TM_CHAIN_OBJECT && layout->code_tlbc == 0;
    bool has_slots = runtime->blocks.granule_bits == 4;
    uint32_t sizes = has_places && has_slots && is_plain ? TM_SMALL_SIZE_MAX + 1 - TM_QUICK_SIZE_MIN : 0;
    bool has_top_only = runtime->traceback_limit == 1;
    atomic_store_explicit(&tm_life_page.top_sizes, has_top_only ? sizes : 0, memory_order_relaxed);
    atomic_store_explicit(&tm_life_page.stack_sizes, has_top_only ? 0 : sizes, memory_order_relaxed);
    decide_small();
    atomic_store_explicit(&tm_life_page.native_sizes, has_places && has_slots && !is_plain ? TM_SMALL_SIZE_MAX + 1 : 0,
                          memory_order_relaxed);
    bool may_be_native = has_places && has_slots && !has_native && python->this_thread != NULL;
    atomic_store_explicit(&tm_life_page.native_frames, may_be_native ? runtime->traceback_limit : 0,
                          memory_order_relaxed);
    bool is_tracing = !runtime->config.slow && runtime->sample_rate == 0 && tm_life_now() == TM_LIFE_TRACING;
    uint32_t stamp = (uint32_t)runtime->records.stamp << 16;
    atomic_store_explicit(&tm_life_page.stamp, has_one_gil ? stamp : 0, memory_order_relaxed);
    atomic_store_explicit(&tm_life_page.native_stamp, has_one_gil && python->this_thread != NULL ? stamp : 0,
                          memory_order_relaxed);
    tm_limit_void();
    atomic_store_explicit(&tm_life_page.own_stamp, is_tracing ? stamp : 0, memory_order_relaxed);
    atomic_store_explicit(&tm_life_page.own_sizes, is_tracing && !runtime->python_is_found ? TM_SMALL_SIZE_MAX + 1 : 0,
                          memory_order_relaxed);
    decide_sampled(runtime);
    tm_tracker_choose_rest();
}

bool tm_life_recover(void)
{
    /* Zero before the beginning too: there is nothing to recover then. */
    return tm_runtime.store.header != NULL && !tm_runtime.is_disabled && tm_fork_adopt();
}

void tm_runtime_new_epoch(bool base)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_store_header *header = runtime->store.header;
    uint32_t epoch = atomic_load_explicit(&runtime->epoch, memory_order_relaxed) + 1;
    runtime->breaks++;
    tm_lock_take(&runtime->intern_lock);
    tm_record_table_new_epoch(&runtime->records);
    atomic_store_explicit(&runtime->epoch, epoch, memory_order_relaxed);
    atomic_store_explicit(&header->epoch, epoch, memory_order_relaxed);
    if (base) {
        struct tm_totals *totals = runtime->totals;
        uint32_t previous_base = atomic_load_explicit(&runtime->base_epoch, memory_order_relaxed);
        atomic_store_explicit(&runtime->base_epoch, epoch, memory_order_relaxed);
        tm_record_table_new_base(&runtime->records); /* those of older epochs do not count any more */
        atomic_store_explicit(&header->base_epoch, epoch, memory_order_relaxed);
        _Atomic uint64_t *words[] = {&totals->python_held,   &totals->native_held,  &totals->python_loose,
                                     &totals->native_loose,  &totals->python_peak,  &totals->heap_peak,
                                     &totals->python_shared, &totals->native_shared};
        for (unsigned i = 0; i < TM_COUNT_OF(words); i++) {
            atomic_store_explicit(words[i], 0, memory_order_relaxed);
        }
        tm_due_forget_steps();
        tm_tallies_new_base();
        tm_aging_release_old_epochs(previous_base);
    }
    tm_trace_cache_new_generation(&runtime->cache);
    tm_runtime_decide_quick();
    tm_lock_release(&runtime->intern_lock);
}
