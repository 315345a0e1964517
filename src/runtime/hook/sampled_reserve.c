/* SPDX-License-Identifier: MIT */
#include "runtime/hook/sampled_reserve.h"

#include <stdint.h>

#include "runtime/os/os_lock.h"

struct tm_sampled_range tm_sampled_range;

static struct tm_lock lock;                                /* only tried */
static _Atomic(const struct tm_cpython_allocator *) maker; /* NULL until ALL is made, which then stays */
static uintptr_t all[TM_SAMPLED_RESERVE];                  /* in rising order */
static unsigned count;
static uintptr_t idle[TM_SAMPLED_RESERVE]; /* a stack: each of them at most once */
static unsigned idle_count;

/* Before or at which place of ALL the block stands. */
static unsigned place_of(uintptr_t block)
{
    unsigned low = 0;
    unsigned high = count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (all[middle] < block) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void enter(uintptr_t block)
{
    unsigned place = place_of(block);
    for (unsigned i = count; i > place; i--) {
        all[i] = all[i - 1];
    }
    all[place] = block;
    count++;
}

static void make(const struct tm_cpython_allocator *real, size_t size)
{
    while (count < TM_SAMPLED_RESERVE) {
        uintptr_t block = (uintptr_t)real->malloc(real->ctx, size);
        if (block == 0) {
            break;
        }
        enter(block);
    }
    for (unsigned i = count; i > 0; i--) { /* the lowest goes first */
        idle[idle_count++] = all[i - 1];
    }
    if (count > 0) {
        atomic_store_explicit(&tm_sampled_range.low, all[0], memory_order_relaxed);
        atomic_store_explicit(&tm_sampled_range.size, all[count - 1] - all[0] + 1, memory_order_relaxed);
    }
    atomic_store_explicit(&maker, real, memory_order_release);
}

static bool is_maker(const struct tm_cpython_allocator *real)
{
    return atomic_load_explicit(&maker, memory_order_acquire) == real;
}

void *tm_sampled_reserve_take(const struct tm_cpython_allocator *real, size_t size)
{
    void *block = NULL;
    if (!tm_lock_try(&lock)) {
        return NULL;
    }
    if (is_maker(NULL)) {
        make(real, size);
    }
    if (is_maker(real) && idle_count > 0) {
        block = (void *)idle[--idle_count];
    }
    tm_lock_release(&lock);
    return block;
}

bool tm_sampled_reserve_has(const struct tm_cpython_allocator *real, const void *block)
{
    unsigned place = is_maker(real) ? place_of((uintptr_t)block) : count;
    return place < count && all[place] == (uintptr_t)block;
}

bool tm_sampled_reserve_give(const struct tm_cpython_allocator *real, void *block)
{
    if (!tm_sampled_reserve_has(real, block) || !tm_lock_try(&lock)) {
        return false;
    }
    bool has_room = idle_count < TM_SAMPLED_RESERVE;
    if (has_room) {
        idle[idle_count++] = (uintptr_t)block;
    }
    tm_lock_release(&lock);
    return has_room;
}
