/* SPDX-License-Identifier: MIT */
#include "runtime/hook/arena_needs.h"

#include <stdatomic.h>

#include "runtime/hook/door.h"
#include "runtime/unwind/caller_search.h"

/* Between raw's hook and the function that makes an arena: PyMem_RawCalloc, and those that look a node up and make
 * it. */
#define FRAMES_MOST 5U

/* Bytes of an arena, up to 3.9; later ones are larger.  From 3.11 on each thread's frames come in the same way, by 16 KiB,
 * from another function. */
#define ARENA_LEAST (UINT32_C(256) << 10)

static struct tm_loaded_module own, interpreter; /* read while IS_KNOWN */
static bool is_known;
/* The code that makes arenas: where it begins in the interpreter, and in the lower half where it ends; 0: not seen yet. */
static _Atomic uint64_t maker;

void tm_arena_needs_begin(uintptr_t address)
{
    is_known = tm_doors_sample && tm_loaded_module_find((uintptr_t)tm_arena_needs_begin, &own) &&
               tm_loaded_module_find(address, &interpreter);
}

void tm_arena_needs_forget(void)
{
    is_known = false;
    atomic_store_explicit(&maker, 0, memory_order_relaxed);
}

static struct tm_cfi_range find_maker(void)
{
    const uint64_t offsets = atomic_load_explicit(&maker, memory_order_relaxed);
    return (struct tm_cfi_range){interpreter.low + (offsets >> 32), interpreter.low + (uint32_t)offsets};
}

void tm_arena_needs_learn(uintptr_t caller, size_t size)
{
    struct tm_cfi_range code = find_maker();
    if (is_known && size >= ARENA_LEAST && caller - 1 - code.low >= code.high - code.low &&
        tm_caller_code(&interpreter, caller - 1, &code) && code.high - interpreter.low <= UINT32_MAX) {
        const uint64_t offsets = (code.low - interpreter.low) << 32 | (code.high - interpreter.low);
        atomic_store_explicit(&maker, offsets, memory_order_relaxed);
    }
}

bool tm_arena_needs_raw(struct tm_thread *thread)
{
    const struct tm_cfi_range code = find_maker();
    if (!is_known || code.low == code.high) {
        return false;
    }
    tm_door_guard_up(thread);
    bool is_found = tm_caller_search(thread, &own, &interpreter, FRAMES_MOST, &code);
    tm_door_guard_down(thread);
    return is_found;
}
