/* SPDX-License-Identifier: MIT */
#include "base/size_value.h"

#include <stddef.h>
#include <string.h>

#define LARGEST ((uint64_t)1 << 62)

/* The power of two of a unit, or -1. */
static int shift_of(const char *unit)
{
    static const struct {
        const char *text;
        int shift;
    } units[] = {{"", 0},     {"B", 0},  {"K", 10},   {"KiB", 10}, {"M", 20},
                 {"MiB", 20}, {"G", 30}, {"GiB", 30}, {"T", 40},   {"TiB", 40}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(unit, units[i].text) == 0) {
            return units[i].shift;
        }
    }
    return -1;
}

bool tm_size_value(const char *text, uint64_t *bytes)
{
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (value > LARGEST / 10) {
            return false; /* before it wraps */
        }
        value = value * 10 + (uint64_t)(*at - '0');
    }
    int shift = at == text ? -1 : shift_of(at);
    if (shift < 0 || value >= LARGEST >> shift) {
        return false;
    }
    *bytes = value << shift;
    return true;
}
