/* SPDX-License-Identifier: MIT */
#include "base/edit_distance.h"

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned tm_edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned row[TM_WORD_MAX + 1];
    if (a_length > TM_WORD_MAX || b_length > TM_WORD_MAX) {
        return TM_WORD_MAX;
    }
    for (size_t j = 0; j <= b_length; j++) {
        row[j] = (unsigned)j;
    }
    for (size_t i = 0; i < a_length; i++) {
        unsigned corner = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t j = 0; j < b_length; j++) {
            unsigned changed = corner + (a[i] != b[j]);
            corner = row[j + 1];
            row[j + 1] = least(changed, least(row[j], row[j + 1]) + 1);
        }
    }
    return row[b_length];
}
