/* SPDX-License-Identifier: MIT */
#include "runtime/track/snapshot_task.h"

#include <errno.h>
#include <string.h>

#include "runtime/os/os_memory.h"
#include "runtime/os/os_process.h"
#include "runtime/track/runtime_state.h"
#include "runtime/track/store_words.h"

#define PREPARED_AT_ONCE   ((size_t)64 << 10) /* bytes between two looks at the clock */
#define FEW                ((size_t)4 << 20)  /* bytes that are touched and copied in about a millisecond */
#define GIVEN_BACK_AT_ONCE ((size_t)1 << 20)

static void *get_pages(size_t size)
{
    return tm_pages_map(size);
}

const struct tm_encode_memory tm_snapshot_pages = {get_pages, tm_pages_unmap};

static void fail(struct tm_snapshot_task *task, int status)
{
    task->status = status;
    task->stage = TM_TASK_IS_OVER;
}

void tm_snapshot_task_begin(struct tm_snapshot_task *task, const char *moment)
{
    memset(task, 0, sizeof *task);
    task->moment = moment;
    if (!tm_store_cut_begin(&task->cut, &tm_runtime.store)) {
        fail(task, -ENOMEM);
        return;
    }
    task->stage = task->cut.wanted <= FEW ? TM_TASK_CUTS : TM_TASK_PREPARES; /* the moment is to be now */
}

static void take_cut(struct tm_snapshot_task *task)
{
    tm_lock_take(&tm_runtime.life_lock);
    tm_store_words_refresh();
    bool done = tm_store_cut_take(&task->cut, &tm_runtime.store);
    tm_snapshot_facts_begin(&task->facts, task->moment);
    atomic_fetch_add_explicit(&tm_runtime.name_readers, 1, memory_order_relaxed);
    task->is_reading = true;
    tm_lock_release(&tm_runtime.life_lock);
    task->stage = TM_TASK_LOOKS;
    if (!done) {
        fail(task, -ENOMEM);
    }
}

static void begin_encoding(struct tm_snapshot_task *task)
{
    task->encoding = tm_encoding_begin(&task->cut.view, NULL, task->facts.list, task->facts.count, &tm_snapshot_pages);
    task->stage = TM_TASK_ENCODES;
    if (task->encoding == NULL) {
        fail(task, -ENOMEM);
    }
}

/* Names may be forgotten again. */
static void end_reading(struct tm_snapshot_task *task)
{
    if (task->is_reading) {
        task->is_reading = false;
        atomic_fetch_sub_explicit(&tm_runtime.name_readers, 1, memory_order_release);
    }
}

static void end_encoding(struct tm_snapshot_task *task)
{
    struct tm_encoded *encoded = &task->encoded;
    struct tm_encoding *encoding = task->encoding;
    task->encoding = NULL;
    enum tm_encode_result result = tm_encoding_end(encoding, &encoded->bytes, &encoded->size, &encoded->capacity);
    task->stage = TM_TASK_GIVES_BACK;
    if (result != TM_ENCODE_DONE) {
        fail(task, result == TM_ENCODE_NO_MEMORY ? -ENOMEM : -EIO);
    }
    end_reading(task);
}

static void step(struct tm_snapshot_task *task)
{
    switch (task->stage) {
    case TM_TASK_PREPARES:
        if (!tm_store_cut_prepare(&task->cut, PREPARED_AT_ONCE)) {
            task->stage = TM_TASK_CUTS;
        }
        break;
    case TM_TASK_CUTS:
        take_cut(task);
        break;
    case TM_TASK_LOOKS:
        tm_snapshot_facts_add_resident(&task->facts, true);
        task->stage = TM_TASK_ASKS;
        break;
    case TM_TASK_ASKS:
        tm_snapshot_facts_add_rest(&task->facts);
        begin_encoding(task);
        break;
    case TM_TASK_ENCODES:
        if (!tm_encoding_step(task->encoding)) {
            end_encoding(task);
        }
        break;
    case TM_TASK_GIVES_BACK:
        if (!tm_store_cut_give_back(&task->cut, GIVEN_BACK_AT_ONCE)) {
            task->stage = TM_TASK_IS_OVER;
        }
        break;
    case TM_TASK_NONE:
    case TM_TASK_IS_OVER:
        break;
    }
}

/* What is done in one piece, however long it takes. */
static bool is_whole(enum tm_task_stage stage)
{
    return stage == TM_TASK_CUTS || stage == TM_TASK_LOOKS || stage == TM_TASK_ASKS;
}

static bool is_over(const struct tm_snapshot_task *task)
{
    return task->stage == TM_TASK_NONE || task->stage == TM_TASK_IS_OVER;
}

bool tm_snapshot_task_run(struct tm_snapshot_task *task, uint64_t slice_ns)
{
    uint64_t used_ns = 0;
    uint64_t begin_ns = slice_ns == UINT64_MAX ? 0 : tm_process_precise_ns();
    do {
        step(task);
        used_ns = slice_ns == UINT64_MAX ? 0 : tm_process_precise_ns() - begin_ns;
    } while (!is_over(task) && used_ns < (is_whole(task->stage) ? slice_ns / 4 : slice_ns));
    return !is_over(task);
}

void tm_snapshot_task_end(struct tm_snapshot_task *task)
{
    if (task->encoding != NULL) {
        tm_encoding_drop(task->encoding);
        task->encoding = NULL;
    }
    end_reading(task);
    tm_store_cut_end(&task->cut);
    if (task->encoded.bytes != NULL) {
        tm_snapshot_pages.release(task->encoded.bytes, task->encoded.capacity);
        task->encoded.bytes = NULL;
    }
    task->stage = TM_TASK_NONE;
}
