/* SPDX-License-Identifier: MIT */
#include "runtime/track/loose_walk.h"

#include <stdatomic.h>

#include "runtime/os/os_process.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/sampler.h"

#define SPINS     64U
#define NAPS      10000U
#define NAP_NANOS 100000U

static _Atomic uint32_t walks; /* under way */
static atomic_bool gave_up;    /* a walker was stopped for good in its walk: it is not waited for again */

/* Its free must be heard, whoever frees it. */
static void mark(struct tm_thread *thread, uintptr_t tstate)
{
    if (thread->walked_state != tstate) {
        struct tm_block known;
        thread->walked_state = tstate;
        if (!tm_block_table_find(&tm_runtime.blocks, tstate, &known)) {
            tm_sampler_note_known(&tm_runtime, tstate);
        }
        (void)!tm_block_table_mark_code(&tm_runtime.blocks, tstate);
    }
}

/* Who frees sets the flag first and then looks for the mark and for walks.  So both must be there before the flag is
 * looked at: otherwise neither might see the other. */
static void announce(struct tm_thread *thread, uintptr_t tstate)
{
    mark(thread, tstate);
    atomic_fetch_add_explicit(&walks, 1, memory_order_seq_cst);
#if !defined(__x86_64__)
    atomic_thread_fence(memory_order_seq_cst); /* there the addition itself is no barrier for the load that follows */
#endif
}

bool tm_loose_walk_begin(struct tm_thread *thread, uintptr_t tstate)
{
    announce(thread, tstate);
    if (tm_cpython_is_finalizing(&tm_runtime.python)) {
        tm_loose_walk_end();
        return false;
    }
    return true;
}

bool tm_loose_walk_is_valid(void)
{
    atomic_thread_fence(memory_order_acquire); /* what was read was read before the flag is; on x86-64 no instruction */
    return !tm_cpython_is_finalizing(&tm_runtime.python);
}

void tm_loose_walk_end(void)
{
    atomic_fetch_sub_explicit(&walks, 1, memory_order_release);
}

static bool none_is_under_way(void)
{
    return atomic_load_explicit(&walks, memory_order_acquire) == 0;
}

void tm_loose_walks_wait(struct tm_thread *thread, uintptr_t address)
{
    if (thread->walked_state == address) {
        thread->walked_state = 0; /* the thread's next state may lie there: it needs its own mark */
    }
    if (!tm_cpython_is_finalizing(&tm_runtime.python)) {
        return;
    }
    atomic_thread_fence(memory_order_seq_cst); /* the flag was set before: who is not seen now sees it */
    for (unsigned i = 0; i < SPINS && !none_is_under_way(); i++) {
        TM_PAUSE();
    }
    for (unsigned i = 0; i < NAPS && !none_is_under_way(); i++) {
        if (atomic_load_explicit(&gave_up, memory_order_relaxed)) {
            return;
        }
        tm_process_nap(NAP_NANOS);
    }
    if (!none_is_under_way()) {
        atomic_store_explicit(&gave_up, true, memory_order_relaxed);
    }
}

void tm_loose_walks_after_fork(void)
{
    atomic_store_explicit(&walks, 0, memory_order_relaxed);
}
