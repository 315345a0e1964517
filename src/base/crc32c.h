/* SPDX-License-Identifier: MIT */
/* CRC-32C (Castagnoli; RFC 3720, section 12.1): polynomial 0x1EDC6F41, bits reversed, starts and ends inverted.
 *
 * No state but what the machine can do, no allocation; any thread; signal safe. */
#ifndef TM_BASE_CRC32C_H
#define TM_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of what BEFORE is the checksum of (0: nothing), followed by LENGTH bytes at BYTES. */
uint32_t tm_crc32c(uint32_t before, const void *bytes, size_t length);

/* The same, as it is done where the machine has no instruction for it. */
uint32_t tm_crc32c_by_table(uint32_t before, const void *bytes, size_t length);

#endif
