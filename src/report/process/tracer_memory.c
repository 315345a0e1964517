/* SPDX-License-Identifier: MIT */
#include "report/process/tracer_memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/compiler.h"

/* See pagemap in the kernel's documentation: one word for each page, bit 63: in memory, bit 62: swapped. */
#define PAGE_SIZE_HERE ((uint64_t)sysconf(_SC_PAGESIZE))
#define IS_THERE       (UINT64_C(3) << 62)
#define RANGE_MAX      (UINT64_C(1) << 30)
#define ADDRESS_MAX    (UINT64_C(1) << 47)

static uint64_t resident(int pagemap, uint64_t address, uint64_t size, uint64_t page)
{
    uint64_t words[512], there = 0;
    uint64_t left = size / page, at = address / page;
    while (left > 0) {
        uint64_t part = left < TM_COUNT_OF(words) ? left : TM_COUNT_OF(words);
        ssize_t got = pread(pagemap, words, (size_t)part * sizeof words[0], (off_t)(at * sizeof words[0]));
        if (got <= 0) {
            return there * page;
        }
        uint64_t read = (uint64_t)got / sizeof words[0];
        for (uint64_t i = 0; i < read; i++) {
            there += (words[i] & IS_THERE) != 0;
        }
        at += part;
        left -= part;
    }
    return there * page;
}

uint64_t tm_tracer_memory(pid_t pid, const struct tm_store_header *header, uint64_t store_bytes)
{
    char path[64];
    uint64_t whole = header->whole_bytes, size = header->sparse_size, page = PAGE_SIZE_HERE;
    uint32_t count = header->sparse_count;
    if (whole == 0 || whole > ADDRESS_MAX || size > RANGE_MAX || count > TM_STORE_SPARSE_MAX) {
        return 0;
    }
    (void)snprintf(path, sizeof path, "/proc/%ld/pagemap", (long)pid);
    int pagemap = open(path, O_RDONLY | O_CLOEXEC);
    if (pagemap < 0) {
        return 0;
    }
    uint64_t sum = store_bytes + whole;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t address = header->sparse[i];
        sum += address < ADDRESS_MAX ? resident(pagemap, address, size, page) : 0;
    }
    (void)close(pagemap);
    return sum;
}
