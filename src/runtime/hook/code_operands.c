/* SPDX-License-Identifier: MIT */
#include "runtime/hook/code_operands.h"

#include <string.h>

#define BYTES_LOOKED_AT 256U

static bool offer(uintptr_t place, const struct tm_elf_range *data, tm_operand_visit *visit, void *context)
{
    uintptr_t entry;
    if (!tm_elf_range_holds(data, place) || data->high - place < sizeof entry) {
        return true;
    }
    if (!visit(place, context)) {
        return false;
    }
    memcpy(&entry, (const void *)place, sizeof entry);
    return !tm_elf_range_holds(data, entry) || visit(entry, context);
}

void tm_code_operands_visit(uintptr_t function, const struct tm_elf_range *code, const struct tm_elf_range *data,
                            tm_operand_visit *visit, void *context)
{
    int32_t operand;
    if (!tm_elf_range_holds(code, function)) {
        return;
    }
    uintptr_t end = code->high - function < BYTES_LOOKED_AT ? code->high : function + BYTES_LOOKED_AT;
    for (uintptr_t at = function; end - at >= sizeof operand; at++) {
        memcpy(&operand, (const void *)at, sizeof operand);
        uintptr_t relative = at + sizeof operand + (uintptr_t)(intptr_t)operand;
        if (!offer((uint32_t)operand, data, visit, context) || !offer(relative, data, visit, context)) {
            break;
        }
    }
}
