/* SPDX-License-Identifier: MIT */
/* An allocator of the program's own over the raw domain's, which wants some bytes more behind each block; another in the
 * place of it; and blocks of obj and raw that are made without any other in between. */
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define TAIL 16
#define RAW  0

struct allocator {
    void *context;
    void *(*malloc)(void *, size_t);
    void *(*calloc)(void *, size_t, size_t);
    void *(*realloc)(void *, void *, size_t);
    void (*free)(void *, void *);
};

typedef void (*exchange)(int domain, struct allocator *allocator);
typedef void *(*maker)(size_t size);

static struct allocator behind;

static void *layer_malloc(void *context, size_t size)
{
    (void)context;
    return behind.malloc(behind.context, size + TAIL);
}

static void *layer_calloc(void *context, size_t count, size_t size)
{
    (void)context;
    return behind.calloc(behind.context, 1, count * size + TAIL);
}

static void *layer_realloc(void *context, void *block, size_t size)
{
    (void)context;
    return behind.realloc(behind.context, block, size + TAIL);
}

static void layer_free(void *context, void *block)
{
    (void)context;
    behind.free(behind.context, block);
}

__attribute__((visibility("default"))) void layer_set(void);
void layer_set(void)
{
    struct allocator layer = {&behind, layer_malloc, layer_calloc, layer_realloc, layer_free};
    exchange get = (exchange)(uintptr_t)dlsym(RTLD_DEFAULT, "PyMem_GetAllocator");
    exchange set = (exchange)(uintptr_t)dlsym(RTLD_DEFAULT, "PyMem_SetAllocator");
    get(RAW, &behind);
    set(RAW, &layer);
}

static void *own_malloc(void *context, size_t size)
{
    (void)context;
    return malloc(size + TAIL);
}

static void *own_calloc(void *context, size_t count, size_t size)
{
    (void)context;
    return calloc(1, count * size + TAIL);
}

static void *own_realloc(void *context, void *block, size_t size)
{
    (void)context;
    return realloc(block, size + TAIL);
}

static void own_free(void *context, void *block)
{
    (void)context;
    free(block);
}

/* One that asks libc, in the place of all that was there. */
__attribute__((visibility("default"))) void layer_replace(void);
void layer_replace(void)
{
    struct allocator own = {NULL, own_malloc, own_calloc, own_realloc, own_free};
    exchange set = (exchange)(uintptr_t)dlsym(RTLD_DEFAULT, "PyMem_SetAllocator");
    set(RAW, &own);
}

/* COUNT pairs of SIZE bytes, which stay. */
__attribute__((visibility("default"))) void layer_make_pairs(int count, size_t size);
void layer_make_pairs(int count, size_t size)
{
    maker obj = (maker)(uintptr_t)dlsym(RTLD_DEFAULT, "PyObject_Malloc");
    maker raw = (maker)(uintptr_t)dlsym(RTLD_DEFAULT, "PyMem_RawMalloc");
    for (int i = 0; i < count; i++) {
        (void)obj(size);
        (void)raw(size);
    }
}
