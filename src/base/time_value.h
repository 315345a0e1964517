/* SPDX-License-Identifier: MIT */
/* Times as people give them to options. */
#ifndef TM_BASE_TIME_VALUE_H
#define TM_BASE_TIME_VALUE_H

#include <stdbool.h>
#include <stdint.h>

/* "30s", "5min" (or "5m"), "2h"; a number alone is seconds.  At most 9 digits.  False, *SECONDS as it was: anything
 * else, also 0.   Signal safe. */
bool tm_time_value(const char *text, uint64_t *seconds);

#endif
