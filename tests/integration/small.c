/* SPDX-License-Identifier: MIT */
/* Something for the compiler to do. */
#include <math.h>
#include <stdio.h>

int main(void)
{
    double sum = 0;
    for (int i = 1; i < 1000; i++) {
        sum += sqrt((double)i);
    }
    printf("%.3f\n", sum);
    return 0;
}
