/* SPDX-License-Identifier: MIT */
#include "runtime/track/loose_walk.h"

#include <stdatomic.h>

#include "runtime/os/os_process.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/sampler.h"

#define SPINS     64U
#define NAPS      10000U
#define NAP_NANOS 100000U

static _Atomic uint32_t walks; /* under way, of threads without a tally */
static atomic_bool gave_up;    /* a walker was stopped for good in its walk: it is not waited for again */

atomic_bool tm_loose_walks_have_slept;

/* Its free must be heard, whoever frees it: who frees sets the flag first and then looks for the mark, so the mark must
 * be there before the flag is looked at.  Otherwise neither might see the other. */
static TM_COLD void mark(struct tm_thread *thread, uintptr_t tstate)
{
    struct tm_block known;
    thread->walked_state = tstate;
    if (!tm_block_table_find(&tm_runtime.blocks, tstate, &known)) {
        tm_sampler_note_known(&tm_runtime, tstate);
    }
    (void)!tm_block_table_mark_code(&tm_runtime.blocks, tstate);
    atomic_thread_fence(memory_order_seq_cst);
}

static TM_COLD void walk_first(struct tm_tally *tally)
{
    atomic_store_explicit(&tally->has_walked, true, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
}

static _Atomic uint32_t *announce(struct tm_thread *thread)
{
    struct tm_tally *tally = tm_tally_of(thread);
    if (TM_UNLIKELY(tally == NULL)) {
        atomic_fetch_add_explicit(&walks, 1, memory_order_seq_cst);
        atomic_thread_fence(memory_order_seq_cst);
        return &walks;
    }
    atomic_store_explicit(&tally->walks, 1, memory_order_relaxed);
    if (TM_UNLIKELY(!atomic_load_explicit(&tally->has_walked, memory_order_relaxed))) {
        walk_first(tally);
    }
    atomic_signal_fence(memory_order_seq_cst);
    return &tally->walks;
}

/* The flag is down.  Where somebody slept another interpreter must have begun since: its end needs a sleep of its
 * own. */
static bool is_still_down(void)
{
    if (TM_UNLIKELY(atomic_load_explicit(&tm_loose_walks_have_slept, memory_order_relaxed))) {
        atomic_store_explicit(&tm_loose_walks_have_slept, false, memory_order_relaxed);
        atomic_thread_fence(memory_order_seq_cst);
        return !tm_cpython_is_finalizing(&tm_runtime.python);
    }
    return true;
}

_Atomic uint32_t *tm_loose_walk_begin(struct tm_thread *thread, uintptr_t tstate)
{
    if (TM_UNLIKELY(thread->walked_state != tstate)) {
        mark(thread, tstate);
    }
    _Atomic uint32_t *announced = announce(thread);
    if (TM_LIKELY(!tm_cpython_is_finalizing(&tm_runtime.python)) && TM_LIKELY(is_still_down())) {
        return announced;
    }
    tm_loose_walk_end(announced);
    return NULL;
}

void tm_loose_walk_end(_Atomic uint32_t *announced)
{
    if (TM_UNLIKELY(announced == &walks)) {
        atomic_fetch_sub_explicit(announced, 1, memory_order_release);
    } else {
        atomic_store_explicit(announced, 0, memory_order_release);
    }
}

/* Of a tally whose walks may be under way, those of THREAD apart, the number of the first from NUMBER on; TM_TALLY_MAX:
 * none. */
static unsigned next_walker(const struct tm_thread *thread, unsigned number)
{
    while (number < TM_TALLY_MAX &&
           (!atomic_load_explicit(&tm_runtime.tallies[number].has_walked, memory_order_relaxed) ||
            atomic_load_explicit(&tm_runtime.tallies[number].owner, memory_order_relaxed) == thread)) {
        number++;
    }
    return number;
}

static bool none_is_under_way(const struct tm_thread *thread)
{
    for (unsigned i = next_walker(thread, 0); i < TM_TALLY_MAX; i = next_walker(thread, i + 1)) {
        if (atomic_load_explicit(&tm_runtime.tallies[i].walks, memory_order_acquire) != 0) {
            return false;
        }
    }
    return atomic_load_explicit(&walks, memory_order_acquire) == 0;
}

/* Until the announcements of all who did not see the flag can be seen. */
static void sleep_once(const struct tm_thread *thread)
{
    atomic_thread_fence(memory_order_seq_cst); /* the flag was set before: who is not seen now sees it */
    if (!atomic_load_explicit(&tm_loose_walks_have_slept, memory_order_relaxed) &&
        next_walker(thread, 0) != TM_TALLY_MAX) {
        tm_process_nap(NAP_NANOS);
        atomic_store_explicit(&tm_loose_walks_have_slept, true, memory_order_relaxed);
    }
}

void tm_loose_walks_wait(struct tm_thread *thread, uintptr_t address)
{
    if (thread->walked_state == address) {
        thread->walked_state = 0; /* the thread's next state may lie there: it needs its own mark */
    }
    if (!tm_cpython_is_finalizing(&tm_runtime.python)) {
        return;
    }
    sleep_once(thread);
    for (unsigned i = 0; !none_is_under_way(thread); i++) {
        if (i < SPINS) {
            TM_PAUSE();
        } else if (i < SPINS + NAPS && !atomic_load_explicit(&gave_up, memory_order_relaxed)) {
            tm_process_nap(NAP_NANOS);
        } else {
            atomic_store_explicit(&gave_up, true, memory_order_relaxed);
            return;
        }
    }
}

void tm_loose_walks_after_fork(void)
{
    atomic_store_explicit(&walks, 0, memory_order_relaxed);
    for (unsigned i = 0; i < TM_TALLY_MAX; i++) {
        atomic_store_explicit(&tm_runtime.tallies[i].walks, 0, memory_order_relaxed);
    }
}
