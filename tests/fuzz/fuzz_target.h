/* SPDX-License-Identifier: MIT */
/* What a fuzz target is: libFuzzer's entry point, also called by standalone.c. */
#ifndef TM_TESTS_FUZZ_TARGET_H
#define TM_TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
