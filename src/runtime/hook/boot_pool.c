/* SPDX-License-Identifier: MIT */
#include "runtime/hook/boot_pool.h"

#include "runtime/os/os_lock.h"
#include "runtime/os/os_memory.h"

/* glibc's dlsym was seen to take less than 2 KiB; what does not fit goes to pages of the kernel. */
#define FIRST_CHUNK 16384U
#define BLOCK_ALIGN 16U

/* A chunk begins with this, a block is preceded by its size. */
struct chunk {
    struct chunk *older;
    uintptr_t next; /* first free byte */
    uintptr_t end;
} __attribute__((aligned(BLOCK_ALIGN)));

struct block_head {
    size_t size;
} __attribute__((aligned(BLOCK_ALIGN)));

static union {
    struct chunk head;
    unsigned char bytes[FIRST_CHUNK];
} first_chunk;

static struct tm_lock pool_lock;
static struct chunk *newest; /* NULL until the first block */
struct tm_boot_pool_span tm_boot_pool_span;

static void open_chunk(struct chunk *chunk, size_t size)
{
    uintptr_t low = (uintptr_t)chunk;
    uintptr_t high = low + size;
    if (newest != NULL) {
        uintptr_t old_high = tm_boot_pool_span.low + tm_boot_pool_span.size;
        low = low < tm_boot_pool_span.low ? low : tm_boot_pool_span.low;
        high = high > old_high ? high : old_high;
    }
    chunk->older = newest;
    chunk->next = (uintptr_t)(chunk + 1);
    chunk->end = (uintptr_t)chunk + size;
    newest = chunk;
    /* A reader between the two sees a span that is too small at worst in its new part, where no block is yet. */
    tm_boot_pool_span.size = high - low;
    tm_boot_pool_span.low = low;
}

static void *carve(struct chunk *chunk, size_t alignment, size_t size)
{
    uintptr_t start = (chunk->next + sizeof(struct block_head) + alignment - 1) & ~(uintptr_t)(alignment - 1);
    if (start > chunk->end || chunk->end - start < size) {
        return NULL;
    }
    chunk->next = start + size;
    ((struct block_head *)start)[-1].size = size;
    return (void *)start;
}

static void *allocate(size_t alignment, size_t size)
{
    if (newest == NULL) {
        open_chunk(&first_chunk.head, sizeof first_chunk);
    }
    void *block = carve(newest, alignment, size);
    if (block != NULL || size > SIZE_MAX / 2) {
        return block;
    }
    size_t needed = tm_page_round(size + alignment + sizeof(struct chunk) + sizeof(struct block_head));
    needed = needed > FIRST_CHUNK ? needed : FIRST_CHUNK;
    struct chunk *chunk = tm_pages_map(needed);
    if (chunk == NULL) {
        return NULL;
    }
    open_chunk(chunk, needed);
    return carve(chunk, alignment, size);
}

void *tm_boot_pool_allocate(size_t alignment, size_t size)
{
    alignment = alignment > BLOCK_ALIGN ? alignment : BLOCK_ALIGN;
    tm_lock_take(&pool_lock);
    void *block = allocate(alignment, size);
    tm_lock_release(&pool_lock);
    return block;
}

bool tm_boot_pool_owns(const void *block)
{
    /* Chunks are only ever added in front, so the list can be read without the lock. */
    for (const struct chunk *chunk = newest; chunk != NULL; chunk = chunk->older) {
        if ((uintptr_t)block > (uintptr_t)chunk && (uintptr_t)block < chunk->end) {
            return true;
        }
    }
    return false;
}

size_t tm_boot_pool_size(const void *block)
{
    return ((const struct block_head *)block)[-1].size;
}

void tm_boot_pool_visit(void (*visit)(uintptr_t low, size_t size))
{
    tm_lock_take(&pool_lock);
    for (const struct chunk *chunk = newest; chunk != NULL; chunk = chunk->older) {
        visit((uintptr_t)chunk, chunk->next - (uintptr_t)chunk);
    }
    tm_lock_release(&pool_lock);
}
