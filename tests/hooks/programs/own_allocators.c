/* SPDX-License-Identifier: MIT */
/* A program that has the interpreter within, and allocators of its own: own_allocators WHICH HOME SCRIPT.  WHICH has
 * letters: o (mem and obj, without a context, over malloc), a (the arenas of small objects, from malloc too), m (these,
 * mapped). Prints how many calls came with a context that nobody gave. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct allocator {
    void *context;
    void *(*malloc)(void *, size_t);
    void *(*calloc)(void *, size_t, size_t);
    void *(*realloc)(void *, void *, size_t);
    void (*free)(void *, void *);
};

struct arenas {
    void *context;
    void *(*alloc)(void *, size_t);
    void (*free)(void *, void *, size_t);
};

void PyMem_SetAllocator(int domain, const struct allocator *allocator);
void PyObject_SetArenaAllocator(const struct arenas *arenas);
void Py_Initialize(void);
int PyRun_SimpleString(const char *script);

#define ARENA (1U << 20)

static unsigned long strange;

static void *own_malloc(void *context, size_t size)
{
    strange += context != NULL;
    return malloc(size + 1);
}

static void *own_calloc(void *context, size_t count, size_t size)
{
    strange += context != NULL;
    return calloc(count + 1, size + 1);
}

static void *own_realloc(void *context, void *block, size_t size)
{
    strange += context != NULL;
    return realloc(block, size + 1);
}

static void own_free(void *context, void *block)
{
    strange += context != NULL;
    free(block);
}

static void *arena_alloc(void *context, size_t size)
{
    (void)context;
    return aligned_alloc(ARENA, (size + ARENA - 1) / ARENA * ARENA);
}

static void arena_free(void *context, void *arena, size_t size)
{
    (void)context;
    (void)size;
    free(arena);
}

static void *arena_map(void *context, size_t size)
{
    (void)context;
    void *arena = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return arena == MAP_FAILED ? NULL : arena;
}

static void arena_unmap(void *context, void *arena, size_t size)
{
    (void)context;
    munmap(arena, size);
}

int main(int argc, char **argv)
{
    static const struct allocator own = {NULL, own_malloc, own_calloc, own_realloc, own_free};
    static const struct arenas arenas = {NULL, arena_alloc, arena_free};
    static const struct arenas mapped = {NULL, arena_map, arena_unmap};
    static char script[65536];
    FILE *stream = argc == 4 ? fopen(argv[3], "rb") : NULL;
    if (stream == NULL || setenv("PYTHONHOME", argv[2], 1) != 0) {
        return 2;
    }
    script[fread(script, 1, sizeof script - 1, stream)] = '\0';
    fclose(stream);
    if (strchr(argv[1], 'o') != NULL) {
        PyMem_SetAllocator(1, &own);
        PyMem_SetAllocator(2, &own);
    }
    Py_Initialize();
    if (strchr(argv[1], 'a') != NULL) {
        PyObject_SetArenaAllocator(&arenas);
    }
    if (strchr(argv[1], 'm') != NULL) {
        PyObject_SetArenaAllocator(&mapped);
    }
    if (PyRun_SimpleString(script) != 0) {
        return 4;
    }
    printf("%lu\n", strange);
    return 0;
}
