/* SPDX-License-Identifier: MIT */
/* Sampling by bytes: the arithmetic that the traced process and the desk share.
 *
 * Bytes are thought of as a line on which points fall at random, one in RATE bytes on average (a Poisson process); a
 * block is sampled when a point falls into it.  So a block of SIZE bytes is sampled with the chance 1 -
 * exp(-SIZE/RATE), whatever came before, and one that was sampled stands for 1/chance blocks like it (Horvitz and
 * Thompson's estimate): sums of those are right on average, for blocks and for bytes, at every size.
 *
 * Pure functions without libm.   Signal safe.   Threads  any. */
#ifndef TM_BASE_SAMPLE_CHANCE_H
#define TM_BASE_SAMPLE_CHANCE_H

#include <stdint.h>

/* One block, in the unit of the blocks that are counted by estimate. */
#define TM_SAMPLE_ONE UINT64_C(65536)

/* The chance (0 to 1) that a block of SIZE bytes is sampled at RATE (bytes, not 0). */
double tm_sample_chance(uint64_t size, uint64_t rate);

/* What one sampled block of SIZE bytes (not 0) stands for: blocks in units of 1/TM_SAMPLE_ONE, and bytes. */
struct tm_sample_weight {
    uint64_t blocks;
    uint64_t bytes;
};

/* Bytes that one of SIZE bytes stands for, SIZE / chance. */
double tm_sample_bytes_of_large(double size, double rate);

/* The same of blocks small beside RATE, as they mostly are: RATE times x / (1 - exp(-x)), whose series has Bernoulli's
 * numbers.  What is left out is less than 2e-13 of it. */
static inline double tm_sample_bytes_of_small(double size, double rate)
{
    const double x = size / rate;
    const double square = x * x;
    const double fourth = square * square;
    const double low = (1.0 + x / 2) + square / 12;
    const double high = (-1.0 / 720 + square / 30240) + fourth * (-1.0 / 1209600 + square / 47900160);
    return rate * (low + fourth * high);
}

static inline struct tm_sample_weight tm_sample_weight_of(uint64_t size, uint64_t rate)
{
    if (size == 0) {
        return (struct tm_sample_weight){0, 0}; /* no point falls into nothing */
    }
    const double bytes = size <= rate / 2 ? tm_sample_bytes_of_small((double)size, (double)rate)
                                          : tm_sample_bytes_of_large((double)size, (double)rate);
    return (struct tm_sample_weight){.blocks = (uint64_t)(bytes / (double)size * (double)TM_SAMPLE_ONE + 0.5),
                                     .bytes = (uint64_t)(bytes + 0.5)};
}

/* Bytes of BLOCKS/TM_SAMPLE_ONE blocks of SIZE bytes. */
static inline uint64_t tm_sample_bytes(uint64_t blocks, uint64_t size)
{
    return blocks / TM_SAMPLE_ONE * size + blocks % TM_SAMPLE_ONE * size / TM_SAMPLE_ONE;
}

/* The way from one point to the next in units of the rate, exponential with the mean 1, from the random word RANDOM. */
double tm_sample_way(uint64_t random);

/* The same in bytes. */
static inline uint64_t tm_sample_distance(uint64_t random, uint64_t rate)
{
    return (uint64_t)(tm_sample_way(random) * (double)rate);
}

/* None is longer, up to a rate of 1 GiB: a random word has 53 bits that count, so 37 rates are the most. */
#define TM_SAMPLE_DISTANCE_MAX (UINT64_C(64) << 30)

/* Half the width of the interval around an estimate of BYTES in BLOCKS blocks that holds the truth in at least 95 of
 * 100 cases.  Needs no more than these two: the variance of one block's estimate, SIZE^2 * (1 - chance) / chance, is at
 * most a concave function of its size, so that blocks of one size (the mean) have the largest variance that blocks with
 * this sum can have.  Few samples, and none, are treated as counts are (Wilson's interval for a Poisson count, its
 * farther end). */
double tm_sample_margin(double bytes, double blocks, double rate);

/* The margin of the difference (or sum) of two figures with these margins whose samples are independent. */
double tm_sample_margin_of_two(double one, double other);

#endif
