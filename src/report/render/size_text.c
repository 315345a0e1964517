/* SPDX-License-Identifier: MIT */
#include "report/render/size_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};

static struct tm_size_text print(double value, int decimals, bool sign, const char *unit)
{
    struct tm_size_text text;
    (void)snprintf(text.text, sizeof text.text, sign ? "%+.*f %s" : "%.*f %s", decimals, value, unit);
    return text;
}

struct tm_size_text tm_size_as_tracemalloc(double bytes, bool sign)
{
    size_t unit = 0;
    for (;; unit++, bytes /= 1024) {
        if (fabs(bytes) < 100 && unit > 0) {
            return print(bytes, 1, sign, units[unit]);
        }
        if (fabs(bytes) < 10 * 1024 || unit + 1 == TM_COUNT_OF(units)) {
            return print(bytes, 0, sign, units[unit]);
        }
    }
}

struct tm_size_text tm_size_for_people(double bytes, bool sign)
{
    size_t unit = 0;
    while (fabs(bytes) >= 1000 && unit + 1 < TM_COUNT_OF(units)) {
        bytes /= 1024;
        unit++;
    }
    return print(bytes, unit > 0 && fabs(bytes) < 99.95 ? 1 : 0, sign, units[unit]);
}

static struct tm_size_text group_digits(uint64_t value, const char *sign)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    struct tm_size_text text;
    size_t used = strlen(sign);
    memcpy(text.text, sign, used);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            text.text[used++] = ',';
        }
        text.text[used++] = digits[i];
    }
    text.text[used] = '\0';
    return text;
}

struct tm_size_text tm_count_for_people(uint64_t count)
{
    return group_digits(count, "");
}

struct tm_size_text tm_count_difference_for_people(int64_t count)
{
    return group_digits(count < 0 ? 0 - (uint64_t)count : (uint64_t)count, count < 0 ? "-" : "+");
}
