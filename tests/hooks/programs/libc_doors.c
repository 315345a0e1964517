/* SPDX-License-Identifier: MIT */
/* Every door of libc, asked through the control API whether it knew the block.  Run under the library; exit code 0 when
 * all holds, else one line per failure.  Built without builtins, so that no call is optimised away. */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracemalloc/tracemalloc.h"

static int (*get_traceback)(const void *, struct tracemalloc_frame *, unsigned, unsigned *);
static unsigned failures;
static bool is_libc =
    true; /* other allocators align less (mimalloc 2.0 even in aligned_alloc) and do not always set errno */

static bool knows(const void *block)
{
    unsigned total;
    return get_traceback(block, NULL, 0, &total) == 0;
}

static void check(bool holds, const char *what)
{
    if (!holds) {
        failures++;
        printf("FAILED %s\n", what);
    }
}

/* BLOCK has just come from FUNCTION. */
static void check_and_free(void *block, size_t alignment, const char *function)
{
    check(block != NULL && ((uintptr_t)block % alignment == 0 || !is_libc), function);
    check(knows(block), function);
    errno = 1234;
    free(block);
    check(errno == 1234, "free keeps errno");
    check(!knows(block), function);
}

static void check_simple_doors(void)
{
    void *block = NULL;
    errno = 1234;
    check_and_free(malloc(100), 16, "malloc");
    check_and_free(calloc(10, 10), 16, "calloc");
    check_and_free(malloc(0), 1, "malloc(0)");
    check_and_free(malloc(3 << 20), 16, "malloc of pages");
    check_and_free(aligned_alloc(256, 512), 256, "aligned_alloc");
    check_and_free(memalign(512, 100), 512, "memalign");
    check_and_free(valloc(100), 4096, "valloc");
    check(posix_memalign(&block, 1024, 100) == 0, "posix_memalign");
    check_and_free(block, 1024, "posix_memalign");
    errno = 1234;
    check(posix_memalign(&block, 3, 100) == EINVAL && errno == 1234, "posix_memalign with a bad alignment");
    free(NULL);
}

static void check_realloc(void)
{
    volatile size_t huge = SIZE_MAX / 2 - 4096;
    char *block = realloc(NULL, 40);
    check(knows(block), "realloc of NULL");
    memset(block, 'x', 40);
    char *moved = realloc(block, 400000);
    check(knows(moved) && moved[39] == 'x', "realloc");
    check(moved == block || !knows(block), "realloc forgets the old block");
    errno = 0;
    check(realloc(moved, huge) == NULL && (errno == ENOMEM || !is_libc), "realloc of too much");
    check(knows(moved), "a failed realloc leaves the block known");
    errno = 0;
    check(reallocarray(moved, huge, 16) == NULL && (errno == ENOMEM || !is_libc), "reallocarray that overflows");
    check(knows(moved), "a failed reallocarray leaves the block known");
    errno = 0;
    volatile size_t many = SIZE_MAX / 4;
    check(calloc(many, 16) == NULL && (errno == ENOMEM || !is_libc), "calloc that overflows");
    moved = reallocarray(moved, 10, 10);
    check(knows(moved), "reallocarray");
    void *empty = realloc(moved, 0);
    check(empty == NULL ? !knows(moved) : knows(empty), "realloc to nothing");
    free(empty);
}

static void check_sized_free(const char *name)
{
    void (*sized)(void *, size_t, size_t);
    void *function = dlsym(RTLD_DEFAULT, name);
    memcpy(&sized, &function, sizeof sized);
    check(function != NULL, name);
    if (function != NULL) {
        void *block = aligned_alloc(64, 128);
        sized(block, strcmp(name, "free_sized") == 0 ? 128 : 64, 128);
        check(!knows(block), name);
    }
}

/* Blocks that libc allocates for itself come through the doors too, and die through them. */
static void check_libc_itself(void)
{
    char *copy = strdup("a copy");
    check_and_free(copy, 16, "strdup");
    check(dlsym(RTLD_DEFAULT, "no_such_function_at_all") == NULL && dlerror() != NULL, "dlerror");
}

static void *allocate_in_thread(void *unused)
{
    void *block = NULL;
    for (int i = 0; i < 1000; i++) {
        free(block);
        block = malloc(50 + (size_t)i);
    }
    (void)unused;
    return block;
}

static void check_threads(void)
{
    pthread_t threads[4];
    void *blocks[4];
    for (int i = 0; i < 4; i++) {
        check(pthread_create(&threads[i], NULL, allocate_in_thread, NULL) == 0, "pthread_create");
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &blocks[i]);
    }
    for (int i = 0; i < 4; i++) {
        check_and_free(blocks[i], 16, "malloc in a thread");
    }
}

static void check_children(void)
{
    int status = -1;
    char *block = malloc(77);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        check(knows(block), "the child knows the parent's block");
        check_simple_doors();
        fflush(stdout);
        _exit(failures == 0 ? 0 : 1);
    }
    waitpid(child, &status, 0);
    check(status == 0, "fork");
    child = vfork();
    if (child == 0) {
        execl("/no/such/program", "program", (char *)NULL);
        _exit(7);
    }
    waitpid(child, &status, 0);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 7, "vfork");
    check(knows(block), "the parent goes on after a vfork");
    check_and_free(block, 16, "malloc before fork");
}

int main(int argc, char **argv)
{
    void *function = dlsym(RTLD_DEFAULT, "tracemalloc_get_object_traceback");
    if (function == NULL) {
        printf("the library is not loaded\n");
        return 2;
    }
    memcpy(&get_traceback, &function, sizeof get_traceback);
    is_libc = argc < 2 || strcmp(argv[1], "other") != 0;
    check_simple_doors();
    check_realloc();
    check_sized_free("free_sized");
    check_sized_free("free_aligned_sized");
    check_sized_free("cfree");
    check_libc_itself();
    check_threads();
    check_children();
    check_simple_doors(); /* the guard is down again after all that */
    printf("%u failures\n", failures);
    return failures == 0 ? 0 : 1;
}
