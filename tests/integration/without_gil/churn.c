/* SPDX-License-Identifier: MIT */
/* Random allocations without the GIL, for ctypes: by the thread that calls, and by threads that Python does not know.
 * Sizes are bytes. */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define THREADS_MAX 64U
#define BLOCKS      4096U
#define SHARED      64U

void churn_use_raw(void);
void churn_run(uint64_t seed, unsigned steps, size_t most, unsigned shares);
int churn_start(unsigned count, uint64_t seed, unsigned steps, size_t most);
void churn_join(void);
void churn_end(void);

/* At the start of each block: who takes it back, and how much it is. */
struct block {
    uint32_t size;
    uint32_t is_raw;
};

/* Of libc, and of CPython's raw domain; NULL where it is not to be seen. */
struct allocator {
    void *(*get)(size_t);
    void *(*change)(void *, size_t);
    void (*give_back)(void *);
};

static struct allocator allocators[2] = {{malloc, realloc, free}};

/* Where threads lay down blocks that others take back. */
static _Atomic(struct block *) shared[SHARED];

/* From now on a part of the blocks is of CPython's raw domain, where it has one. */
void churn_use_raw(void)
{
    const struct allocator raw = {
        .get = (void *(*)(size_t))(uintptr_t)dlsym(RTLD_DEFAULT, "PyMem_RawMalloc"),
        .change = (void *(*)(void *, size_t))(uintptr_t)dlsym(RTLD_DEFAULT, "PyMem_RawRealloc"),
        .give_back = (void (*)(void *))(uintptr_t)dlsym(RTLD_DEFAULT, "PyMem_RawFree"),
    };
    allocators[1] = raw;
}

static uint64_t below(uint64_t *random, uint64_t limit)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*random >> 33) % limit;
}

static uint32_t random_size(uint64_t *random)
{
    const uint64_t kind = below(random, 100);
    const uint64_t most = kind < 70 ? 500 : kind < 97 ? 6000 : 60000;
    return (uint32_t)(sizeof(struct block) + below(random, most));
}

static struct block *get(uint64_t *random)
{
    const uint32_t size = random_size(random);
    const uint32_t is_raw = allocators[1].get != NULL && below(random, 8) == 0;
    struct block *block = allocators[is_raw].get(size);
    if (block == NULL) {
        abort();
    }
    *block = (struct block){size, is_raw};
    return block;
}

static void change(uint64_t *random, struct block **block)
{
    const uint32_t size = random_size(random);
    *block = allocators[(*block)->is_raw].change(*block, size);
    if (*block == NULL) {
        abort();
    }
    (*block)->size = size;
}

/* What a thread holds. */
struct heap {
    struct block *blocks[BLOCKS];
    unsigned count;
    size_t bytes;
};

static void drop(struct heap *heap, unsigned i)
{
    struct block *block = heap->blocks[i];
    heap->blocks[i] = heap->blocks[--heap->count];
    heap->bytes -= block->size;
    allocators[block->is_raw].give_back(block);
}

static void take(struct heap *heap, struct block *block)
{
    heap->blocks[heap->count++] = block;
    heap->bytes += block->size;
}

static void exchange(struct heap *heap, unsigned i, uint64_t place)
{
    heap->bytes -= heap->blocks[i]->size;
    struct block *other = atomic_exchange(&shared[place], heap->blocks[i]);
    heap->blocks[i] = heap->blocks[--heap->count];
    if (other != NULL) {
        take(heap, other);
    }
}

static void step(struct heap *heap, uint64_t *random, size_t wanted, int may_share)
{
    const unsigned some = heap->count == 0 ? 0 : (unsigned)below(random, heap->count);
    if (heap->count == 0 || (heap->bytes < wanted && heap->count < BLOCKS)) {
        take(heap, get(random));
    } else {
        drop(heap, some);
    }
    const uint64_t beside = below(random, 40);
    if (heap->count != 0 && beside == 0) {
        const unsigned i = (unsigned)below(random, heap->count);
        heap->bytes -= heap->blocks[i]->size;
        change(random, &heap->blocks[i]);
        heap->bytes += heap->blocks[i]->size;
    } else if (heap->count != 0 && beside < 4 && may_share) {
        exchange(heap, (unsigned)below(random, heap->count), below(random, SHARED));
    }
}

/* STEPS of up and down, to MOST at the highest; a tenth of what was held then stays at the end.  SHARES: exchanges
 * blocks with the other threads. */
void churn_run(uint64_t seed, unsigned steps, size_t most, unsigned shares)
{
    struct heap heap = {.count = 0};
    uint64_t random = seed * 2 + 1;
    size_t wanted = 0;
    unsigned left = 0;
    for (unsigned i = 0; i < steps; i++) {
        if (left-- == 0) {
            wanted = (size_t)below(&random, most);
            left = 50 + (unsigned)below(&random, 1500);
        }
        step(&heap, &random, wanted, shares != 0);
    }
    for (unsigned stay = heap.count / 10; heap.count > stay;) {
        drop(&heap, heap.count - 1);
    }
}

static struct worker {
    pthread_t thread;
    uint64_t seed;
    unsigned steps;
    size_t most;
} workers[THREADS_MAX];
static unsigned worker_count;

static void *work(void *argument)
{
    const struct worker *worker = argument;
    churn_run(worker->seed, worker->steps, worker->most, 1);
    return NULL;
}

/* COUNT threads begin, each as churn_run.  Not 0: they could not. */
int churn_start(unsigned count, uint64_t seed, unsigned steps, size_t most)
{
    for (; worker_count < count && worker_count < THREADS_MAX; worker_count++) {
        struct worker *worker = &workers[worker_count];
        *worker = (struct worker){.seed = seed + worker_count, .steps = steps, .most = most};
        if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
            return -1;
        }
    }
    return 0;
}

void churn_join(void)
{
    for (; worker_count > 0; worker_count--) {
        (void)pthread_join(workers[worker_count - 1].thread, NULL);
    }
}

/* Here, so that no event lies between the last churn_run and the end. */
void churn_end(void)
{
    (void)raise(SIGKILL);
}
