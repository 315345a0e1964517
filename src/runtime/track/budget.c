/* SPDX-License-Identifier: MIT */
#include "runtime/track/budget.h"

#include "base/text.h"
#include "runtime/os/os_message.h"
#include "runtime/os/os_process.h"
#include "runtime/track/counting.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/sampler.h"
#include "store/store_view.h"

#define FIRST_RECORDS 1024U /* below, nothing can be near any limit that is allowed */
#define RATE          (UINT64_C(512) << 10)
#define FEWER_FRAMES  4U /* the part of the frames that stays at the first step */

enum { FRAMES, ONE_FRAME, MERGE, SAMPLE, STEPS };

/* Eighths of the limit at which a step is taken. */
static const uint64_t eighths[STEPS] = {[FRAMES] = 4, [ONE_FRAME] = 5, [MERGE] = 6, [SAMPLE] = 7};

void tm_budget_begin(void)
{
    struct tm_budget *budget = &tm_runtime.budget;
    budget->limit = tm_runtime.config.memory_limit;
    atomic_store_explicit(&budget->next_records, FIRST_RECORDS, memory_order_relaxed);
    atomic_store_explicit(&budget->next_heap, budget->limit / 4, memory_order_relaxed);
}

static uint64_t traced(void)
{
    uint64_t python, heap;
    tm_store_traced(tm_runtime.store.header, &python, &heap);
    return (int64_t)heap < 0 ? 0 : heap;
}

/* One line on stderr, and a word for the store. */
static void say(const char *what)
{
    char line[160];
    struct tm_text text;
    tm_text_init(&text, line, sizeof line);
    tm_text_add(&text, "the tracer nears TRACEMALLOC_MEMORY_LIMIT: from now on ");
    tm_text_add(&text, what);
    tm_message(line, NULL, NULL);
    tm_runtime_say("memory_limit_step", what);
}

static void shorten(uint32_t limit)
{
    struct tm_runtime *runtime = &tm_runtime;
    char what[64];
    struct tm_text text;
    if (limit >= runtime->traceback_limit || !tm_runtime_set_limit(limit)) {
        return;
    }
    tm_lock_take(&runtime->intern_lock);
    tm_trace_cache_new_generation(&runtime->cache); /* what it knows has more frames */
    tm_lock_release(&runtime->intern_lock);
    tm_text_init(&text, what, sizeof what);
    tm_text_add(&text, "tracebacks have ");
    tm_text_add_unsigned(&text, limit);
    tm_text_add(&text, limit == 1 ? " frame" : " frames");
    say(what);
}

static void merge(void)
{
    static const char name[] = "(merged)";
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_stored_frame frame = {0, 0, 0};
    tm_lock_take(&runtime->intern_lock);
    uint32_t id = 0;
    if (tm_string_intern(&runtime->strings, name, sizeof name - 1, &frame.file)) {
        id = tm_frame_intern(&runtime->frames, &frame);
    }
    runtime->budget.merged_traceback = id != 0 ? tm_traceback_intern(&runtime->tracebacks, 0, id) : 0;
    bool done = runtime->budget.merged_traceback != 0;
    atomic_store_explicit(&runtime->budget.merges, done, memory_order_relaxed);
    tm_lock_release(&runtime->intern_lock);
    if (done) {
        say("traces that were not seen before are counted as one, (merged)");
    }
}

/* In a new epoch, whose records are estimates.  Sampled traces are few, so that they may be new again. */
static void sample(void)
{
    struct tm_runtime *runtime = &tm_runtime;
    if (runtime->sample_rate != 0) {
        return;
    }
    runtime->budget.thins = true;
    tm_life_set(tm_life_now()); /* the one for which each allocation looks */
    tm_sampler_begin(RATE, tm_process_time_ns() ^ runtime->pid, 1);
    tm_runtime_new_epoch(false);
    atomic_store_explicit(&runtime->budget.merges, false, memory_order_relaxed);
    say("one block in 512 KiB is recorded");
}

static void take_step(uint32_t step)
{
    switch (step) {
    case FRAMES:
        shorten(tm_runtime.traceback_limit < 2 * FEWER_FRAMES ? 1 : tm_runtime.traceback_limit / FEWER_FRAMES);
        break;
    case ONE_FRAME:
        shorten(1);
        break;
    case MERGE:
        merge();
        break;
    default:
        sample();
        break;
    }
}

/* Under the life lock. */
static void look(void)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_budget *budget = &runtime->budget;
    uint64_t records = tm_record_count(&runtime->records);
    uint64_t used = tm_runtime_tracer_bytes();
    uint32_t step = atomic_load_explicit(&budget->step, memory_order_relaxed);
    for (; step < STEPS && used >= budget->limit / 8 * eighths[step]; step++) {
        atomic_store_explicit(&budget->step, step + 1, memory_order_relaxed);
        take_step(step);
    }
    /* A record costs 128 bytes and its names as much again; a block up to a quarter of its size. */
    atomic_store_explicit(&budget->next_records, records + budget->limit / 64 / 256, memory_order_relaxed);
    atomic_store_explicit(&budget->next_heap, traced() + budget->limit / 16, memory_order_relaxed);
}

void tm_runtime_look_at_budget(struct tm_thread *thread)
{
    tm_budget_look(thread);
}

void tm_budget_look(struct tm_thread *thread)
{
    struct tm_runtime *runtime = &tm_runtime;
    struct tm_budget *budget = &runtime->budget;
    if (TM_LIKELY(budget->limit == 0)) {
        return;
    }
    bool is_due = tm_record_count(&runtime->records) >= tm_word_load(&budget->next_records) ||
                  traced() >= tm_word_load(&budget->next_heap);
    if (!is_due || atomic_load_explicit(&budget->step, memory_order_relaxed) == STEPS || !tm_life_is_tracing() ||
        runtime->pid != tm_process_pid()) {
        return;
    }
    thread->guard++;
    if (tm_lock_try(&runtime->life_lock)) { /* else a snapshot or a fork is under way: at the next look */
        look();
        tm_lock_release(&runtime->life_lock);
    }
    thread->guard--;
}
