/* SPDX-License-Identifier: MIT */
/* Repeatable random numbers: the same seed, the same test. */
#ifndef TM_TESTS_RANDOM_NUMBERS_H
#define TM_TESTS_RANDOM_NUMBERS_H

#include <stdint.h>

struct random_numbers {
    uint64_t state; /* any seed but 0 */
};

static inline uint64_t random_next(struct random_numbers *random)
{
    random->state ^= random->state << 13;
    random->state ^= random->state >> 7;
    random->state ^= random->state << 17;
    return random->state * UINT64_C(0x2545F4914F6CDD1D);
}

/* 0 to BOUND - 1. */
static inline uint64_t random_below(struct random_numbers *random, uint64_t bound)
{
    return (random_next(random) >> 16) % bound;
}

#endif
