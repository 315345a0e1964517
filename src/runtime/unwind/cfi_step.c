/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/cfi_step.h"

#include "runtime/unwind/cfi_bytes.h"

#define STACK_DEPTH 16U
#define STEPS_MAX   256U /* no real expression is longer; it may not run for ever */

/* Operations of DWARF 5, section 2.5, as far as compilers and hand-written assembly use them here. */
enum {
    OP_ADDR = 0x03,
    OP_DEREF = 0x06,
    OP_CONST1U = 0x08,
    OP_CONST1S,
    OP_CONST2U,
    OP_CONST2S,
    OP_CONST4U,
    OP_CONST4S,
    OP_CONST8U,
    OP_CONST8S,
    OP_CONSTU = 0x10,
    OP_CONSTS,
    OP_DUP,
    OP_DROP,
    OP_OVER,
    OP_SWAP = 0x16,
    OP_AND = 0x1A,
    OP_MINUS = 0x1C,
    OP_MUL = 0x1E,
    OP_NEG,
    OP_NOT,
    OP_OR,
    OP_PLUS,
    OP_PLUS_UCONST,
    OP_SHL,
    OP_SHR,
    OP_SHRA,
    OP_XOR,
    OP_EQ = 0x29,
    OP_GE,
    OP_GT,
    OP_LE,
    OP_LT,
    OP_NE,
    OP_LIT0 = 0x30,
    OP_LIT31 = 0x4F,
    OP_BREG0 = 0x70,
    OP_BREG31 = 0x8F,
    OP_NOP = 0x96
};

struct evaluation {
    struct tm_cfi_bytes bytes;
    uintptr_t stack[STACK_DEPTH];
    unsigned depth;
    const struct tm_cfi_frame *frame;
    tm_cfi_read *read;
    void *context;
};

static void push(struct evaluation *evaluation, uintptr_t value)
{
    if (evaluation->depth == STACK_DEPTH) {
        evaluation->bytes.failed = true;
        return;
    }
    evaluation->stack[evaluation->depth++] = value;
}

static uintptr_t pop(struct evaluation *evaluation)
{
    if (evaluation->depth == 0) {
        evaluation->bytes.failed = true;
        return 0;
    }
    return evaluation->stack[--evaluation->depth];
}

static bool knows(const struct tm_cfi_frame *frame, uint64_t number)
{
    return number < TM_CFI_REGISTERS && (frame->known >> number & 1U) != 0;
}

static void push_register(struct evaluation *evaluation, uint64_t number)
{
    int64_t offset = tm_cfi_signed(&evaluation->bytes);
    if (!knows(evaluation->frame, number)) {
        evaluation->bytes.failed = true;
        return;
    }
    push(evaluation, evaluation->frame->registers[number] + (uintptr_t)offset);
}

static void push_memory(struct evaluation *evaluation)
{
    uintptr_t word = 0;
    if (!evaluation->read(evaluation->context, pop(evaluation), &word)) {
        evaluation->bytes.failed = true;
    }
    push(evaluation, word);
}

/* Two operands, B on top. */
static uintptr_t calculate(uint8_t operation, uintptr_t a, uintptr_t b, bool *known)
{
    switch (operation) {
    case OP_AND:
        return a & b;
    case OP_MINUS:
        return a - b;
    case OP_MUL:
        return a * b;
    case OP_OR:
        return a | b;
    case OP_PLUS:
        return a + b;
    case OP_SHL:
        return b < 64 ? a << b : 0;
    case OP_SHR:
        return b < 64 ? a >> b : 0;
    case OP_SHRA:
        return (uintptr_t)((intptr_t)a >> (b < 63 ? b : 63));
    case OP_XOR:
        return a ^ b;
    case OP_EQ:
        return a == b;
    case OP_GE:
        return (intptr_t)a >= (intptr_t)b;
    case OP_GT:
        return (intptr_t)a > (intptr_t)b;
    case OP_LE:
        return (intptr_t)a <= (intptr_t)b;
    case OP_LT:
        return (intptr_t)a < (intptr_t)b;
    case OP_NE:
        return a != b;
    default:
        *known = false;
        return 0;
    }
}

static void run_binary(struct evaluation *evaluation, uint8_t operation)
{
    bool known = true;
    uintptr_t b = pop(evaluation);
    uintptr_t a = pop(evaluation);
    push(evaluation, calculate(operation, a, b, &known));
    evaluation->bytes.failed |= !known;
}

static void push_constant(struct evaluation *evaluation, uint8_t operation)
{
    struct tm_cfi_bytes *bytes = &evaluation->bytes;
    size_t size = (size_t)1 << ((operation - OP_CONST1U) / 2);
    bool is_signed = ((operation - OP_CONST1U) & 1) != 0;
    push(evaluation, is_signed ? (uintptr_t)tm_cfi_fixed_signed(bytes, size) : (uintptr_t)tm_cfi_fixed(bytes, size));
}

/* Moves what is on the stack. */
static bool run_move(struct evaluation *evaluation, uint8_t operation)
{
    uintptr_t top = pop(evaluation);
    uintptr_t below = operation == OP_OVER || operation == OP_SWAP ? pop(evaluation) : 0;
    switch (operation) {
    case OP_DROP:
        return true;
    case OP_DUP:
        push(evaluation, top);
        push(evaluation, top);
        return true;
    case OP_OVER:
        push(evaluation, below);
        push(evaluation, top);
        push(evaluation, below);
        return true;
    case OP_SWAP:
        push(evaluation, top);
        push(evaluation, below);
        return true;
    default:
        return false;
    }
}

static void run_one(struct evaluation *evaluation)
{
    struct tm_cfi_bytes *bytes = &evaluation->bytes;
    uint8_t operation = (uint8_t)tm_cfi_fixed(bytes, 1);
    if (operation >= OP_BREG0 && operation <= OP_BREG31) {
        push_register(evaluation, operation - OP_BREG0);
    } else if (operation >= OP_LIT0 && operation <= OP_LIT31) {
        push(evaluation, (uintptr_t)(operation - OP_LIT0));
    } else if (operation >= OP_CONST1U && operation <= OP_CONST8S) {
        push_constant(evaluation, operation);
    } else if (operation == OP_ADDR) {
        push(evaluation, (uintptr_t)tm_cfi_fixed(bytes, 8));
    } else if (operation == OP_CONSTU) {
        push(evaluation, (uintptr_t)tm_cfi_unsigned(bytes));
    } else if (operation == OP_CONSTS) {
        push(evaluation, (uintptr_t)tm_cfi_signed(bytes));
    } else if (operation == OP_DEREF) {
        push_memory(evaluation);
    } else if (operation == OP_PLUS_UCONST) {
        push(evaluation, pop(evaluation) + (uintptr_t)tm_cfi_unsigned(bytes));
    } else if (operation == OP_NEG) {
        push(evaluation, 0 - pop(evaluation));
    } else if (operation == OP_NOT) {
        push(evaluation, ~pop(evaluation));
    } else if (operation >= OP_DUP && operation <= OP_SWAP) {
        bytes->failed |= !run_move(evaluation, operation);
    } else if (operation != OP_NOP) {
        run_binary(evaluation, operation);
    }
}

struct surroundings {
    const struct tm_cfi_frame *frame;
    tm_cfi_read *read;
    void *context;
};

/* FIRST, if not NULL, lies on the stack at the beginning. */
static bool evaluate(const struct surroundings *around, const uint8_t *expression, uint32_t size,
                     const uintptr_t *first, uintptr_t *value)
{
    struct evaluation evaluation = {.bytes = {expression, expression + size, false},
                                    .frame = around->frame,
                                    .read = around->read,
                                    .context = around->context};
    if (first != NULL) {
        push(&evaluation, *first);
    }
    for (unsigned i = 0; i < STEPS_MAX && tm_cfi_left(&evaluation.bytes) > 0 && !evaluation.bytes.failed; i++) {
        run_one(&evaluation);
    }
    *value = pop(&evaluation);
    return !evaluation.bytes.failed && tm_cfi_left(&evaluation.bytes) == 0;
}

static bool find_cfa(const struct tm_cfi_rules *rules, const struct surroundings *around, uintptr_t *cfa)
{
    if (rules->cfa_expression != NULL) {
        return evaluate(around, rules->cfa_expression, rules->cfa_size, NULL, cfa);
    }
    *cfa = around->frame->registers[rules->cfa_register] + (uintptr_t)rules->cfa_offset;
    return knows(around->frame, rules->cfa_register);
}

/* False: the caller's register is lost. */
static bool find_register(const struct tm_cfi_rule *rule, const struct surroundings *around, unsigned number,
                          uintptr_t cfa, uintptr_t *value)
{
    uintptr_t place;
    switch (rule->kind) {
    case TM_CFI_SAME:
        *value = around->frame->registers[number];
        return knows(around->frame, number);
    case TM_CFI_AT_OFFSET:
        return around->read(around->context, cfa + (uintptr_t)rule->offset, value);
    case TM_CFI_IS_OFFSET:
        *value = cfa + (uintptr_t)rule->offset;
        return true;
    case TM_CFI_IN_REGISTER:
        *value = knows(around->frame, (uint64_t)rule->offset) ? around->frame->registers[rule->offset] : 0;
        return knows(around->frame, (uint64_t)rule->offset);
    case TM_CFI_AT_EXPRESSION:
        return evaluate(around, rule->expression, rule->size, &cfa, &place) &&
               around->read(around->context, place, value);
    case TM_CFI_IS_EXPRESSION:
        return evaluate(around, rule->expression, rule->size, &cfa, value);
    default:
        return false;
    }
}

bool tm_cfi_step(const struct tm_cfi_rules *rules, struct tm_cfi_frame *frame, tm_cfi_read *read, void *context)
{
    const struct surroundings around = {frame, read, context};
    struct tm_cfi_frame caller = {.known = 0};
    uintptr_t cfa;
    if (!find_cfa(rules, &around, &cfa)) {
        return false;
    }
    for (unsigned number = 0; number < TM_CFI_REGISTERS; number++) {
        const struct tm_cfi_rule *rule = &rules->registers[number];
        bool is_stack_pointer = number == TM_CFI_RSP && rule->kind == TM_CFI_SAME;
        if (is_stack_pointer) {
            caller.registers[number] = cfa;
            caller.known |= 1U << number;
        } else if (number == TM_CFI_RETURN && rule->kind == TM_CFI_SAME) {
            continue; /* a caller that is not said anywhere */
        } else if (find_register(rule, &around, number, cfa, &caller.registers[number])) {
            caller.known |= 1U << number;
        }
    }
    *frame = caller;
    return knows(frame, TM_CFI_RETURN) && knows(frame, TM_CFI_RSP);
}
