/* SPDX-License-Identifier: MIT */
/* An embedding program: embed LIBPYTHON MODE ROUNDS SCRIPT.  MODE has letters: g or l (RTLD_GLOBAL, RTLD_LOCAL), s
 * (Py_InitializeEx(0): no signal handlers), a (the same from the second life on), d (PyMem_SetupDebugHooks before and,
 * twice, after initialisation), i (an isolated preconfiguration with the allocator malloc, 3.8 and later), t (a thread of
 * its own from the first life's end on), e (one from the beginning on), k (kills itself in the last life). */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* PyPreConfig, as far as it is the same from 3.8 on; the rest is room. */
struct preconfig {
    int words[64];
};

struct status {
    int words[8];
};

static void *library;

static void *symbol(const char *name)
{
    return dlsym(library, name);
}

static void call(const char *name)
{
    void (*function)(void);
    void *found = symbol(name);
    memcpy(&function, &found, sizeof found);
    if (function == NULL) {
        fprintf(stderr, "%s: not there\n", name);
        exit(3);
    }
    function();
}

static void preinitialize(void)
{
    static struct preconfig config;
    void (*init_isolated)(struct preconfig *);
    struct status (*preinitialize_from)(const struct preconfig *);
    void *found = symbol("PyPreConfig_InitIsolatedConfig");
    memcpy(&init_isolated, &found, sizeof found);
    found = symbol("Py_PreInitialize");
    memcpy(&preinitialize_from, &found, sizeof found);
    init_isolated(&config);
    config.words[9] = 3; /* allocator: PYMEM_ALLOCATOR_MALLOC */
    preinitialize_from(&config);
}

static void initialize(int signals)
{
    void (*function)(int);
    void *found = symbol("Py_InitializeEx");
    memcpy(&function, &found, sizeof found);
    function(signals);
}

static void run(const char *script)
{
    int (*function)(const char *);
    void *found = symbol("PyRun_SimpleString");
    memcpy(&function, &found, sizeof found);
    if (function(script) != 0) {
        exit(4);
    }
}

static void *sleep_on(void *argument)
{
    for (;;) {
        pause();
    }
    return argument;
}

int main(int argc, char **argv)
{
    static char script[65536];
    pthread_t thread;
    int has_thread = 0, is_first = 1;
    FILE *stream = argc == 5 ? fopen(argv[4], "rb") : NULL;
    if (stream == NULL) {
        return 2;
    }
    script[fread(script, 1, sizeof script - 1, stream)] = '\0';
    fclose(stream);
    library = dlopen(argv[1], RTLD_NOW | (strchr(argv[2], 'l') != NULL ? RTLD_LOCAL : RTLD_GLOBAL));
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 3;
    }
    if (strchr(argv[2], 'e') != NULL) {
        has_thread = pthread_create(&thread, NULL, sleep_on, NULL) == 0;
    }
    for (int rounds = atoi(argv[3]); rounds > 0; rounds--) {
        if (strchr(argv[2], 'd') != NULL) {
            call("PyMem_SetupDebugHooks");
        }
        if (strchr(argv[2], 'i') != NULL) {
            preinitialize();
        }
        initialize(strchr(argv[2], 's') == NULL && (is_first || strchr(argv[2], 'a') == NULL));
        is_first = 0;
        if (strchr(argv[2], 'd') != NULL) {
            call("PyMem_SetupDebugHooks");
            call("PyMem_SetupDebugHooks");
        }
        run(script);
        if (strchr(argv[2], 'k') != NULL && rounds == 1) {
            raise(SIGKILL);
        }
        call("Py_Finalize");
        if (strchr(argv[2], 't') != NULL && !has_thread) {
            has_thread = pthread_create(&thread, NULL, sleep_on, NULL) == 0;
        }
    }
    return 0;
}
