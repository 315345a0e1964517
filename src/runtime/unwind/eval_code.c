/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/eval_code.h"

#include <string.h>

#include "runtime/unwind/cfi_rules.h"
#include "runtime/unwind/loaded_module.h"
#include "runtime/unwind/loaded_symbol.h"

/* x86-64's jumps with 32 bits of distance: E9, and 0F 80 to 0F 8F where the condition is.  What only looks like one, in
 * the middle of another instruction, leads to no frame like the function's own. */
#define JUMP_SIZE 5U

static bool find_rules(const struct tm_loaded_module *module, uintptr_t pc, struct tm_cfi_rules *rules,
                       struct tm_cfi_range *range)
{
    return tm_cfi_find(module->frame_header, module->high - (uintptr_t)module->frame_header, pc, rules, range);
}

static bool begins_function(const struct tm_cfi_rules *rules)
{
    return rules->cfa_expression == NULL && rules->cfa_register == TM_CFI_RSP &&
           rules->cfa_offset == (int64_t)sizeof(uintptr_t);
}

static bool is_same_frame(const struct tm_cfi_rules *a, const struct tm_cfi_rules *b)
{
    static const uint8_t saved[] = {TM_CFI_RBX, TM_CFI_RBP, 12, 13, 14, 15, TM_CFI_RETURN};
    bool same = a->cfa_expression == NULL && b->cfa_expression == NULL && a->cfa_register == b->cfa_register &&
                a->cfa_offset == b->cfa_offset;
    for (unsigned i = 0; i < TM_COUNT_OF(saved); i++) {
        const struct tm_cfi_rule *one = &a->registers[saved[i]];
        const struct tm_cfi_rule *other = &b->registers[saved[i]];
        same = same && one->kind == other->kind && one->offset == other->offset;
    }
    return same;
}

static void add(struct tm_eval_code *code, const struct tm_cfi_range *range)
{
    for (unsigned i = 0; i < TM_EVAL_PARTS; i++) {
        if (code->parts[i].low == 0) {
            code->parts[i] = (struct tm_eval_part){range->low, range->high};
            return;
        }
    }
}

/* The bytes before AFTER may be a jump to TARGET, which is not known to be the function's. */
static void look_at(struct tm_eval_code *code, const struct tm_loaded_module *module, uintptr_t after, uintptr_t target)
{
    struct tm_cfi_rules here, there;
    struct tm_cfi_range range;
    if (find_rules(module, target, &there, &range) && find_rules(module, after - 1, &here, NULL) &&
        is_same_frame(&here, &there) && find_rules(module, range.low, &there, NULL) && !begins_function(&there)) {
        add(code, &range);
    }
}

struct tm_eval_code tm_eval_code_of(uintptr_t low, size_t size)
{
    struct tm_eval_code code = {{{low, low + size}}};
    struct tm_loaded_module module;
    if (low == 0 || !tm_loaded_module_find(low, &module) || module.frame_header == NULL || size > module.high - low) {
        return code;
    }
    const uint8_t *bytes = (const uint8_t *)low; /* NOLINT(performance-no-int-to-ptr) */
    for (size_t at = 0; at + JUMP_SIZE <= size; at++) {
        int32_t distance;
        bool is_jump = bytes[at] == 0xE9 || (at > 0 && bytes[at - 1] == 0x0F && (bytes[at] & 0xF0) == 0x80);
        if (!is_jump) {
            continue;
        }
        memcpy(&distance, bytes + at + 1, sizeof distance);
        uintptr_t after = low + at + JUMP_SIZE;
        uintptr_t target = after + (uintptr_t)(intptr_t)distance;
        if (target >= module.low && target < module.high && !tm_eval_code_has(&code, target)) {
            look_at(&code, &module, after, target);
        }
    }
    return code;
}

struct tm_eval_code tm_eval_code_find(const struct tm_cpython *python)
{
    const struct tm_cpython_layout *row = python->layout;
    size_t size = 0;
    uintptr_t low = 0;
    if (row == NULL || row->chain != TM_CHAIN_OBJECT || row->tstate_cframe != 0) {
        return (struct tm_eval_code){0};
    }
    const char *const names[] = {"_PyEval_EvalFrameDefault",
                                 "PyEval_EvalFrameEx"}; /* the second is the loop in 2.7 only */
    for (unsigned i = 0; i < TM_COUNT_OF(names) && low == 0; i++) {
        low = (uintptr_t)tm_loaded_symbol(&python->where.library, names[i], &size);
    }
    return tm_eval_code_of(low, size);
}
