/* SPDX-License-Identifier: MIT */
/* Allocations without end, for ctypes: so many of them that Python code would take hours.  Sizes are bytes. */
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define THREADS_MAX 8U

/* A way to allocate, by the name of its functions. */
struct allocator {
    const char *get, *give_back;
};

void loops_pairs(unsigned way, uint64_t count, size_t size, const char *before, const char *after);
void loops_pairs_in_threads(unsigned threads, uint64_t count, size_t size, const char *before, const char *after);
int loops_threads(uint64_t count, size_t size, uint64_t keep_each);

static const struct allocator allocators[] = {
    {"PyObject_Malloc", "PyObject_Free"},
    {"PyMem_Malloc", "PyMem_Free"},
    {"PyMem_RawMalloc", "PyMem_RawFree"},
    {"malloc", "free"},
};

static void pairs(void *(*get)(size_t), void (*give_back)(void *), uint64_t count, size_t size)
{
    for (uint64_t i = 0; i < count; i++) {
        give_back(get(size));
    }
}

static void *function(const char *name)
{
    void *address = dlsym(RTLD_DEFAULT, name);
    if (address == NULL) {
        abort();
    }
    return address;
}

/* Here, so that nothing but the loops lies between two snapshots. */
static void take_snapshot(const char *path)
{
    int (*take)(const char *) = (int (*)(const char *))(uintptr_t)function("tracemalloc_take_snapshot");
    if (take(path) != 0) {
        abort();
    }
}

/* WAY is a place in `allocators`; snapshots are written to BEFORE and AFTER. */
void loops_pairs(unsigned way, uint64_t count, size_t size, const char *before, const char *after)
{
    void *get = function(allocators[way].get), *give_back = function(allocators[way].give_back);
    take_snapshot(before);
    pairs((void *(*)(size_t))(uintptr_t)get, (void (*)(void *))(uintptr_t)give_back, count, size);
    take_snapshot(after);
}

struct work {
    uint64_t count;
    size_t size;
};

static void *pairs_in_thread(void *argument)
{
    const struct work *work = argument;
    void *(*volatile get)(size_t) = malloc; /* else the compiler leaves both out */
    void (*volatile give_back)(void *) = free;
    pairs(get, give_back, work->count, work->size);
    return NULL;
}

/* COUNT in each of THREADS, which Python knows nothing of. */
void loops_pairs_in_threads(unsigned threads, uint64_t count, size_t size, const char *before, const char *after)
{
    struct work work = {count, size};
    pthread_t ids[THREADS_MAX];
    take_snapshot(before);
    for (unsigned i = 0; i < threads; i++) {
        if (pthread_create(&ids[i], NULL, pairs_in_thread, &work) != 0) {
            abort();
        }
    }
    for (unsigned i = 0; i < threads; i++) {
        (void)pthread_join(ids[i], NULL);
    }
    take_snapshot(after);
}

static void *allocate_once(void *argument)
{
    void *(*volatile get)(size_t) = malloc;
    return get(*(size_t *)argument);
}

/* COUNT threads, a few at a time, each of which allocates one block; each KEEP_EACH'th block stays, the others are
 * freed by this thread. */
int loops_threads(uint64_t count, size_t size, uint64_t keep_each)
{
    pthread_t ids[THREADS_MAX];
    for (uint64_t done = 0; done < count; done += THREADS_MAX) {
        uint64_t some = count - done < THREADS_MAX ? count - done : THREADS_MAX;
        for (uint64_t i = 0; i < some; i++) {
            if (pthread_create(&ids[i], NULL, allocate_once, &size) != 0) {
                return -1;
            }
        }
        for (uint64_t i = 0; i < some; i++) {
            void *block;
            (void)pthread_join(ids[i], &block);
            if ((done + i) % keep_each != 0) {
                free(block);
            }
        }
    }
    return 0;
}
