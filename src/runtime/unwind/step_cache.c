/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/step_cache.h"

#include <string.h>

#include "runtime/os/os_memory.h"
#include "runtime/unwind/cfi_rules.h"
#include "runtime/unwind/loaded_module.h"

#define SLOTS ((size_t)1 << TM_STEP_BITS)

bool tm_step_cache_begin(struct tm_step_cache *cache)
{
    cache->slots = tm_pages_map_sparse(SLOTS * sizeof *cache->slots);
    return cache->slots != NULL;
}

void tm_step_cache_clear(struct tm_step_cache *cache)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (atomic_load_explicit(&cache->slots[i].step, memory_order_relaxed) != 0) {
            atomic_store_explicit(&cache->slots[i].step, 0, memory_order_relaxed);
            atomic_store_explicit(&cache->slots[i].key, 0, memory_order_relaxed);
        }
    }
    /* Behind it: who sees the new number finds no old step any more. */
    tm_step_cache_new_generation(cache);
}

static uint64_t pack(enum tm_step_kind kind, bool saves, int64_t frame_offset, int64_t cfa_offset)
{
    return (uint64_t)kind | (saves ? TM_STEP_SAVES_FRAME : 0) | (uint64_t)(uint16_t)(int16_t)frame_offset << 16 |
           (uint64_t)(uint32_t)(int32_t)cfa_offset << 32;
}

static uint64_t step_of(const struct tm_cfi_rules *rules)
{
    const struct tm_cfi_rule *caller = &rules->registers[TM_CFI_RETURN];
    const struct tm_cfi_rule *frame = &rules->registers[TM_CFI_RBP];
    if (caller->kind == TM_CFI_UNDEFINED) {
        return TM_STEP_END;
    }
    bool by_register = rules->cfa_expression == NULL &&
                       (rules->cfa_register == TM_CFI_RSP || rules->cfa_register == TM_CFI_RBP) &&
                       rules->cfa_offset == (int32_t)rules->cfa_offset;
    bool is_usual = caller->kind == TM_CFI_AT_OFFSET && caller->offset == -(int64_t)sizeof(uintptr_t) &&
                    rules->registers[TM_CFI_RSP].kind == TM_CFI_SAME && !rules->is_signal_frame;
    bool saves = frame->kind == TM_CFI_AT_OFFSET && frame->offset == (int16_t)frame->offset;
    if (!by_register || !is_usual || (!saves && frame->kind != TM_CFI_SAME)) {
        return TM_STEP_ODD;
    }
    return pack(rules->cfa_register == TM_CFI_RSP ? TM_STEP_BY_STACK : TM_STEP_BY_FRAME, saves,
                saves ? frame->offset : 0, rules->cfa_offset);
}

uint64_t tm_step_learn(struct tm_step_cache *cache, uintptr_t pc)
{
    struct tm_loaded_module module;
    struct tm_cfi_rules rules;
    if (!tm_loaded_module_find(pc, &module)) {
        return TM_STEP_END; /* code that was made at run time: it may be something else the next time */
    }
    uint64_t step = TM_STEP_END;
    if (module.frame_header != NULL &&
        tm_cfi_find(module.frame_header, module.high - (uintptr_t)module.frame_header, pc, &rules, NULL)) {
        step = step_of(&rules);
    }
    struct tm_step_slot *slot = tm_step_slot_of(cache, pc);
    atomic_store_explicit(&slot->step, step, memory_order_relaxed);
    atomic_store_explicit(&slot->key, pc ^ step, memory_order_relaxed);
    return step;
}
