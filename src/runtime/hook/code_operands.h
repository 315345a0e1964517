/* SPDX-License-Identifier: MIT */
/* The addresses that a function's instructions may name, found without decoding the instructions: wherever four bytes
 * would lead into the object's data if they were an operand, that place is offered.  Most offers are chance; what lies
 * there tells the right one.  For variables that a library keeps to itself, where the alternative is to look through
 * all of its data: that touches each of its pages.
 *
 * Threads  any; the code and data must stay mapped.
 * Signals  safe: memory is read, nothing else.
 * Source   Intel 64 manual, volume 2, 2.2.1.6: addresses are relative to the next instruction, or absolute. */
#ifndef TM_RUNTIME_HOOK_CODE_OPERANDS_H
#define TM_RUNTIME_HOOK_CODE_OPERANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/hook/elf_object.h"

/* PLACE lies in the data, as may what the global offset table says there; false ends the search. */
typedef bool tm_operand_visit(uintptr_t place, void *context);

/* Offers the operands of the first bytes of the function at FUNCTION, which lies in CODE, that lie in DATA, and where
 * one of these holds an address in DATA, that address too.  On machines whose instructions have no such operands there
 * are only chance offers, or none. */
void tm_code_operands_visit(uintptr_t function, const struct tm_elf_range *code, const struct tm_elf_range *data,
                            tm_operand_visit *visit, void *context);

#endif
