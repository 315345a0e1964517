/* SPDX-License-Identifier: MIT */
/* first_hook LIBPYTHON OTHER_LIBRARY SCRIPT: while one thread, having loaded OTHER_LIBRARY, is made to look for the
 * interpreter anew, the main thread makes the first Python allocation, then runs SCRIPT.
 *
 * The window is held open here: the look goes through dl_iterate_phdr, which this program defines.  During one look the
 * calls nest: whether the interpreter is still there, whether libraries came, and the third, in which it is found again
 * after all that was known of it was dropped.  Exit code 5: it did not open. */
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FORGOTTEN   3    /* nested calls of the look */
#define HELD_MS     30   /* far more than the allocation needs, far less than anybody waits for the look to end */
#define ALLOCATIONS 4096 /* more than there are between two looks */
#define NOT_MET     5    /* exit code: the window did not open, so nothing was tried */

typedef int visitor(struct dl_phdr_info *info, size_t size, void *data);
typedef int iterate(visitor *visit, void *data);

static _Thread_local unsigned depth, nested;
static _Thread_local bool is_watched;
static atomic_int window; /* 0: not yet */
static atomic_bool asks;  /* the main thread allocates now */
enum { OPEN = 1, SHUT, MISSED };

static void nap(long milliseconds)
{
    struct timespec time = {0, milliseconds * 1000000};
    nanosleep(&time, NULL);
}

__attribute__((visibility("default"))) int dl_iterate_phdr(visitor *visit, void *data)
{
    static iterate *real;
    if (real == NULL) {
        void *found = dlsym(RTLD_NEXT, "dl_iterate_phdr");
        memcpy(&real, &found, sizeof found);
    }
    nested = depth == 0 ? 0 : nested + 1;
    if (is_watched && nested == FORGOTTEN && window == 0) {
        window = OPEN;
        while (!asks) {
            nap(1);
        }
        nap(HELD_MS);
        window = SHUT;
    }
    depth++;
    int result = real(visit, data);
    depth--;
    return result;
}

static void *look(void *name)
{
    void *library = dlopen(name, RTLD_NOW);
    is_watched = true;
    for (unsigned i = 0; i < ALLOCATIONS && window == 0; i++) {
        void *volatile block = malloc(16);
        free(block);
    }
    is_watched = false;
    if (window == 0) {
        window = MISSED;
    }
    return library;
}

static void *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);
    if (found == NULL) {
        fprintf(stderr, "%s: not there\n", name);
        exit(3);
    }
    return found;
}

int main(int argc, char **argv)
{
    static char script[65536];
    FILE *stream = argc == 4 ? fopen(argv[3], "rb") : NULL;
    if (stream == NULL) {
        return 2;
    }
    script[fread(script, 1, sizeof script - 1, stream)] = '\0';
    fclose(stream);
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL) {
        return 3;
    }
    void *(*allocate)(size_t);
    void (*initialize)(int), (*finalize)(void);
    int (*run)(const char *);
    void *functions[] = {symbol(library, "PyMem_RawMalloc"), symbol(library, "Py_InitializeEx"),
                         symbol(library, "PyRun_SimpleString"), symbol(library, "Py_Finalize")};
    memcpy(&allocate, &functions[0], sizeof allocate);
    memcpy(&initialize, &functions[1], sizeof initialize);
    memcpy(&run, &functions[2], sizeof run);
    memcpy(&finalize, &functions[3], sizeof finalize);
    for (unsigned i = 0; i < ALLOCATIONS; i++) {
        void *volatile block = malloc(16); /* the interpreter is seen */
        free(block);
    }
    pthread_t thread;
    if (pthread_create(&thread, NULL, look, argv[2]) != 0) {
        return 3;
    }
    while (window == 0) {
        nap(1);
    }
    bool met = window == OPEN;
    asks = true;
    void *first = allocate(100);
    pthread_join(thread, NULL);
    initialize(1);
    if (run(script) != 0) {
        return 4;
    }
    finalize();
    return first == NULL ? 3 : met ? 0 : NOT_MET;
}
