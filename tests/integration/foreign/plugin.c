/* SPDX-License-Identifier: MIT */
/* A library that allocates.  With OWN_MALLOC it brings a malloc of its own, hidden, over one anonymous mapping. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int plugin_keep(int count, size_t size);
void plugin_drop(int count);
void *plugin_take(size_t size);
void plugin_give(void *block);

#ifdef OWN_MALLOC
#include <sys/mman.h>

#define ARENA ((size_t)4 << 20)

static char *arena;
static size_t used;

static void *take(size_t size)
{
    if (arena == NULL) {
        arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    char *block = arena + used;
    used += (size + 15) & ~(size_t)15;
    return used <= ARENA ? block : NULL;
}

static void give(void *block)
{
    (void)block;
}
#else
static void *take(size_t size)
{
    return malloc(size);
}

static void give(void *block)
{
    free(block);
}
#endif

static void *blocks[1000];

/* Keeps COUNT blocks of SIZE bytes, 1000 at most.  0 when there was memory for all. */
int plugin_keep(int count, size_t size)
{
    for (int i = 0; i < count; i++) {
        blocks[i] = take(size);
        if (blocks[i] == NULL) {
            return 1;
        }
        memset(blocks[i], i, size);
    }
    return 0;
}

void plugin_drop(int count)
{
    for (int i = 0; i < count; i++) {
        give(blocks[i]);
        blocks[i] = NULL;
    }
}

/* One side allocates, the other frees. */
void *plugin_take(size_t size)
{
    return take(size);
}

void plugin_give(void *block)
{
    give(block);
}
