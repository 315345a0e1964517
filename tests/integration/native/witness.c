/* SPDX-License-Identifier: MIT */
/* Preloaded behind the tracer: what libc's backtrace() finds at each block that malloc and its relatives hand out.
 *
 * WITNESS names a file, to which the pid is added; WITNESS_LEAST bytes the smallest blocks that count.  At the end the
 * file has what is loaded ("module", low address, size, what was added to the file's addresses, path), "full" when
 * there were more stacks than fit, and a line for each distinct stack: return addresses, the most recent first. */
#define _GNU_SOURCE
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEEPEST 256
#define SLOTS   (1U << 16)
#define FULL    (SLOTS / 2)

struct stack {
    int count;
    void *frames[DEEPEST];
};

static struct stack stacks[SLOTS];
static unsigned used;
static int is_ready;
static size_t least;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static __thread int depth __attribute__((tls_model("initial-exec")));

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static void keep(void *const *frames, int count)
{
    uint64_t hash = 0;
    for (int i = 0; i < count; i++) {
        hash = (hash ^ (uintptr_t)frames[i]) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    pthread_mutex_lock(&mutex);
    for (unsigned i = 0; used < FULL; i++) {
        struct stack *stack = &stacks[(hash + i) % SLOTS];
        if (stack->count == 0) {
            stack->count = count;
            memcpy(stack->frames, frames, (size_t)count * sizeof *frames);
            used++;
            break;
        }
        if (stack->count == count && memcmp(stack->frames, frames, (size_t)count * sizeof *frames) == 0) {
            break;
        }
    }
    pthread_mutex_unlock(&mutex);
}

static void *see(void *block, size_t size)
{
    void *frames[DEEPEST];
    if (is_ready && depth == 0 && size >= least) {
        depth++;
        keep(frames, backtrace(frames, DEEPEST));
        depth--;
    }
    return block;
}

void *malloc(size_t size)
{
    return see(__libc_malloc(size), size);
}

void *calloc(size_t count, size_t size)
{
    return see(__libc_calloc(count, size), count * size);
}

void *realloc(void *block, size_t size)
{
    return see(__libc_realloc(block, size), size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    *block = see(__libc_memalign(alignment, size), size);
    return *block == NULL && size != 0 ? 12 : 0; /* ENOMEM */
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return see(__libc_memalign(alignment, size), size);
}

void *memalign(size_t alignment, size_t size)
{
    return see(__libc_memalign(alignment, size), size);
}

__attribute__((constructor)) static void begin(void)
{
    void *first[2];
    (void)backtrace(first, 2); /* loads libgcc */
    least = getenv("WITNESS_LEAST") == NULL ? 0 : strtoul(getenv("WITNESS_LEAST"), NULL, 10);
    is_ready = 1;
}

static int write_module(struct dl_phdr_info *module, size_t size, void *file)
{
    char program[4096];
    const char *path = module->dlpi_name;
    (void)size;
    if (path[0] == '\0') {
        ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
        program[length < 0 ? 0 : length] = '\0';
        path = program;
    }
    for (int i = 0; i < module->dlpi_phnum; i++) {
        if (module->dlpi_phdr[i].p_type == PT_LOAD) {
            uintptr_t low = module->dlpi_addr + module->dlpi_phdr[i].p_vaddr;
            fprintf(file, "module %lx %lx %lx %s\n", (unsigned long)low, (unsigned long)module->dlpi_phdr[i].p_memsz,
                    (unsigned long)module->dlpi_addr, path);
        }
    }
    return 0;
}

__attribute__((destructor)) static void end(void)
{
    char path[4096];
    depth++;
    snprintf(path, sizeof path, "%s.%ld", getenv("WITNESS"), (long)getpid());
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return;
    }
    dl_iterate_phdr(write_module, file);
    fprintf(file, used >= FULL ? "full\n" : "");
    for (unsigned i = 0; i < SLOTS; i++) {
        for (int frame = 0; frame < stacks[i].count; frame++) {
            fprintf(file, "%lx ", (unsigned long)(uintptr_t)stacks[i].frames[frame]);
        }
        fprintf(file, stacks[i].count != 0 ? "\n" : "");
    }
    fclose(file);
}
