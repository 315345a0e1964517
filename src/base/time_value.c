/* SPDX-License-Identifier: MIT */
#include "base/time_value.h"

#include <string.h>

#include "base/compiler.h"

#define DIGITS_MAX 9U

bool tm_time_value(const char *text, uint64_t *seconds)
{
    static const struct {
        const char *unit;
        uint64_t seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}};
    uint64_t value = 0;
    unsigned digits = 0;
    for (; text[digits] >= '0' && text[digits] <= '9' && digits < DIGITS_MAX; digits++) {
        value = value * 10 + (uint64_t)(text[digits] - '0');
    }
    for (unsigned i = 0; i < TM_COUNT_OF(units) && value > 0; i++) {
        if (strcmp(text + digits, units[i].unit) == 0) {
            *seconds = value * units[i].seconds;
            return true;
        }
    }
    return false;
}
