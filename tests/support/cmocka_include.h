/* SPDX-License-Identifier: MIT */
/* cmocka with what it needs before it, and what release 1.1.5 lacks. */
#ifndef TM_TESTS_CMOCKA_INCLUDE_H
#define TM_TESTS_CMOCKA_INCLUDE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Unsigned numbers of any width. */
#define assert_u64_equal(a, b) assert_true((uint64_t)(a) == (uint64_t)(b))

#endif
