/* SPDX-License-Identifier: MIT */
/* Call frame information (.eh_frame): how a function's caller is found from the function's registers at one of its
 * instructions.
 *
 * Read from the loaded object itself, which the loader and the compiler made: trusted, but never read past the end of
 * one entry.
 * Threads  all functions; no state.   Signals  safe.   errno  kept.   Errors  false: no entry, or one that is not
 * known.
 * Source   DWARF 5, section 6.4; Linux Standard Base, "Exception Frames"; System V ABI, x86-64 supplement (numbers of
 *          the registers). */
#ifndef TM_RUNTIME_UNWIND_CFI_RULES_H
#define TM_RUNTIME_UNWIND_CFI_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Numbers in DWARF. */
enum { TM_CFI_RBX = 3, TM_CFI_RBP = 6, TM_CFI_RSP = 7, TM_CFI_RETURN = 16, TM_CFI_REGISTERS = 17 };

enum tm_cfi_kind {
    TM_CFI_SAME,          /* has the value that it has */
    TM_CFI_UNDEFINED,     /* is lost; for the return address: there is no caller */
    TM_CFI_AT_OFFSET,     /* lies at CFA + offset */
    TM_CFI_IS_OFFSET,     /* is CFA + offset */
    TM_CFI_IN_REGISTER,   /* lies in the register of number offset */
    TM_CFI_AT_EXPRESSION, /* lies where the expression says */
    TM_CFI_IS_EXPRESSION, /* is what the expression says */
};

struct tm_cfi_rule {
    enum tm_cfi_kind kind;
    uint32_t size; /* bytes of the expression */
    union {
        int64_t offset;
        const uint8_t *expression;
    };
};

/* The rules at one instruction.  CFA, the canonical frame address, is the caller's stack pointer. */
struct tm_cfi_rules {
    bool is_signal_frame; /* the kernel's return from a signal handler: its caller was interrupted, not calling */
    uint8_t cfa_register; /* CFA is this one + cfa_offset, unless there is an expression */
    int64_t cfa_offset;
    const uint8_t *cfa_expression; /* or NULL */
    uint32_t cfa_size;
    struct tm_cfi_rule registers[TM_CFI_REGISTERS];
};

/* The addresses that one entry is about. */
struct tm_cfi_range {
    uintptr_t low;
    uintptr_t high;
};

/* The rules at PC.  HEADER is the object's PT_GNU_EH_FRAME segment (the binary search table), SIZE what is mapped from
 * there on, in bytes. *RANGE, if not NULL, becomes what the entry covers: mostly one function, or one part of it. */
TM_CHECKED bool tm_cfi_find(const uint8_t *header, size_t size, uintptr_t pc, struct tm_cfi_rules *rules,
                            struct tm_cfi_range *range);

#endif
