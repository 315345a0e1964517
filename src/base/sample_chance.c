/* SPDX-License-Identifier: MIT */
#include "base/sample_chance.h"

#include <string.h>

#include "base/compiler.h"

#define CERTAIN       40.0 /* exp of its negative is below the last bit of 1 */
#define SMALL         0.125
#define HALF_WIDTHS   1.959964  /* standard deviations that hold 95 % of a normal distribution */
#define LARGEST_AT    1.5936243 /* x where x * x / (exp(x) - 1) is largest */
#define LARGEST       0.6476102 /* its value there */
#define EXPONENT_BIAS 1023
#define MANTISSA_BITS 52
#define LN_2          0.69314718055994530942
#define SQUARE_ROOT_2 1.41421356237309504880

/* Both series are summed in pairs, and pairs of these: as a chain each term would wait for the one before.  What is left
 * out after nine terms is less than 1e-14 of the sum. */
TM_INLINE double sum_of_series(const double *terms, double x)
{
    const double square = x * x;
    const double fourth = square * square;
    const double low = (terms[0] + x * terms[1]) + square * (terms[2] + x * terms[3]);
    const double high = (terms[4] + x * terms[5]) + square * (terms[6] + x * terms[7]);
    return low + fourth * (high + fourth * terms[8]);
}

/* 1 - exp(-x) for x >= 0, without the loss of digits that a difference has near 0. */
static double one_minus_exp(double x)
{
    static const double terms[] = {1.0,        -1.0 / 2,   1.0 / 6,      -1.0 / 24,   1.0 / 120,
                                   -1.0 / 720, 1.0 / 5040, -1.0 / 40320, 1.0 / 362880};
    unsigned halvings = 0;
    double chance;
    if (x > CERTAIN) {
        return 1.0;
    }
    for (; x > SMALL; halvings++) {
        x /= 2;
    }
    chance = x * sum_of_series(terms, x);
    for (; halvings > 0; halvings--) {
        chance *= 2.0 - chance;
    }
    return chance;
}

double tm_sample_chance(uint64_t size, uint64_t rate)
{
    return one_minus_exp((double)size / (double)rate);
}

double tm_sample_bytes_of_large(double size, double rate)
{
    return size / one_minus_exp(size / rate);
}

/* Of a number from 2^-60 to 1: the exponent and a series for what is left. */
static double logarithm(double number)
{
    static const double terms[] = {1.0, 1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13, 1.0 / 15, 1.0 / 17};
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    int exponent = (int)(bits >> MANTISSA_BITS) - EXPONENT_BIAS;
    bits = (bits & ((UINT64_C(1) << MANTISSA_BITS) - 1)) | ((uint64_t)EXPONENT_BIAS << MANTISSA_BITS);
    memcpy(&number, &bits, sizeof number);
    if (number > SQUARE_ROOT_2) {
        number /= 2;
        exponent++;
    }
    double z = (number - 1) / (number + 1);
    return exponent * LN_2 + 2 * z * sum_of_series(terms, z * z);
}

double tm_sample_way(uint64_t random)
{
    double chance = (double)((random >> 11) + 1) * 0x1p-53; /* above 0, up to 1 */
    return -logarithm(chance);
}

/* By Newton; libm is not there in the traced process. */
static double square_root(double number)
{
    double root = number > 1 ? number : 1;
    if (number <= 0) {
        return 0;
    }
    for (int i = 0; i < 100; i++) {
        double next = (root + number / root) / 2;
        if (next >= root) {
            break;
        }
        root = next;
    }
    return root;
}

double tm_sample_margin_of_two(double one, double other)
{
    return square_root(one * one + other * other);
}

double tm_sample_margin(double bytes, double blocks, double rate)
{
    if (rate <= 0) {
        return 0;
    }
    if (bytes <= 0 || blocks <= 0) {
        return HALF_WIDTHS * HALF_WIDTHS * rate; /* what follows, of no sample: there may be blocks all the same */
    }
    double x = bytes / blocks / rate;
    double chance = one_minus_exp(x);
    double per_block = x < LARGEST_AT ? x * x * (1 - chance) / chance : LARGEST;
    double centre = HALF_WIDTHS * HALF_WIDTHS / 2 * rate;
    double margin = centre + HALF_WIDTHS * square_root(blocks * per_block * rate * rate +
                                                       HALF_WIDTHS * HALF_WIDTHS / 4 * rate * rate);
    return margin;
}
