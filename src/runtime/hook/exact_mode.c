/* SPDX-License-Identifier: MIT */
#include "runtime/hook/exact_mode.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/hook/door.h"
#include "runtime/hook/elf_object.h"
#include "runtime/hook/tracemalloc_module.h"
#include "runtime/os/os_process.h"
#include "runtime/track/runtime.h"

#define DOMAINS       3
#define NEW_REFERENCE "_PyTraceMalloc_NewReference"

static struct tm_tracemalloc_module module;
static void (*hear)(uintptr_t block);
static bool is_starved; /* the module runs for us and gets nothing; for the program it is stopped */
static bool has_ended;
static bool is_asked; /* the program looks a block up: nothing is born */
static void *(*real_get_entry)(struct tm_traces_table *table, const void *key);
static int (*real_new_reference)(void *object);

/* 1. What the program sees. */

/* Starts or stops the module and leaves the allocators as they are. */
static bool change_starved(bool (*change)(const struct tm_tracemalloc_module *))
{
    const struct tm_cpython *python = tm_runtime_python();
    struct tm_cpython_allocator ours[DOMAINS];
    struct tm_thread *thread = tm_thread_self();
    tm_door_guard_up(thread);
    for (int domain = 0; domain < DOMAINS; domain++) {
        python->get_allocator(domain, &ours[domain]);
    }
    bool is_changed = change(&module);
    for (int domain = 0; domain < DOMAINS; domain++) {
        python->set_allocator(domain, &ours[domain]);
    }
    tm_door_guard_down(thread);
    return is_changed;
}

static void starve(void)
{
    is_starved = change_starved(tm_tracemalloc_module_start) && *module.tracing != 0;
}

static void stop_starving(void)
{
    is_starved = false;
    (void)change_starved(tm_tracemalloc_module_stop);
}

#define METHODS(X)                                                                                                     \
    X(0, "is_tracing")                                                                                                 \
    X(1, "clear_traces")                                                                                               \
    X(2, "_get_traces")                                                                                                \
    X(3, "_get_object_traceback")                                                                                      \
    X(4, "start")                                                                                                      \
    X(5, "stop")                                                                                                       \
    X(6, "get_traceback_limit")                                                                                        \
    X(7, "get_tracemalloc_memory")                                                                                     \
    X(8, "get_traced_memory")                                                                                          \
    X(9, "reset_peak")

enum { GET_OBJECT_TRACEBACK = 3, START = 4, METHOD_COUNT = 10 };

static void *(*real_methods[METHOD_COUNT])(void *self, void *first, void *second, void *third);

static void *call_method(unsigned index, void *self, void *first, void *second, void *third)
{
    if (is_starved && index == START) {
        stop_starving();
    } else if (is_starved) {
        *module.tracing = 0;
    }
    is_asked = index == GET_OBJECT_TRACEBACK;
    void *result = real_methods[index](self, first, second, third);
    is_asked = false;
    if (is_starved) {
        *module.tracing = 1;
    } else if (*module.tracing == 0 && !has_ended && result != NULL) {
        starve(); /* the program has stopped it */
    }
    return result;
}

#define WRAPPER(index, name)                                                                                           \
    static void *method_##index(void *self, void *first, void *second, void *third)                                    \
    {                                                                                                                  \
        return call_method(index, self, first, second, third);                                                         \
    }
METHODS(WRAPPER)

#define ENTRY(index, name) {name, method_##index},
static const struct {
    const char *name;
    void *(*call)(void *self, void *first, void *second, void *third);
} wrappers[METHOD_COUNT] = {METHODS(ENTRY)};

static void wrap_methods(void)
{
    for (struct tm_method *method = module.methods; method->name != NULL; method++) {
        for (unsigned i = 0; i < METHOD_COUNT; i++) {
            if (strcmp(method->name, wrappers[i].name) == 0) {
                real_methods[i] = method->call;
                method->call = wrappers[i].call;
            }
        }
    }
}

/* 2. Births. */

static void *hear_lookup(struct tm_traces_table *table, const void *key)
{
    if (!is_asked) {
        hear((uintptr_t)key);
    }
    return real_get_entry(table, key);
}

static int hear_new_reference(void *object)
{
    int result = is_starved ? -1 : real_new_reference(object);
    hear(tm_python_block_of(&tm_runtime_python()->row, (uintptr_t)object));
    return result;
}

static bool listen(void)
{
    const struct tm_cpython *python = tm_runtime_python();
    struct tm_elf_object object;
    void *function = tm_cpython_symbol(python, NEW_REFERENCE);
    if (function != NULL && tm_elf_object_find((uintptr_t)function, &object)) {
        memcpy(&real_new_reference, &function, sizeof function);
        if (tm_elf_object_rebind(&object, NEW_REFERENCE, (uintptr_t)function, (uintptr_t)hear_new_reference) != 0) {
            /* Extension modules inline the test of the flag and call the symbol themselves. */
            return tm_elf_object_redefine(&object, NEW_REFERENCE, (uintptr_t)hear_new_reference);
        }
    }
    if (module.traces == NULL) {
        return false;
    }
    real_get_entry = module.traces->get_entry;
    module.traces->get_entry = hear_lookup;
    return true;
}

/* 3. Beginning and end. */

bool tm_exact_mode_is_needed(void)
{
    const struct tm_cpython *python = tm_runtime_python();
    return tm_runtime_config()->exact && python->layout != NULL && python->row.recycled_by_flag;
}

/* Python's own start of the module would find the flag set and do nothing. */
static bool python_will_start_it(void)
{
    static const char option[] = "-X";
    char command[4096];
    const char *value = getenv("PYTHONTRACEMALLOC");
    if (value != NULL && *value != '\0' && strcmp(value, "0") != 0) {
        return true;
    }
    size_t length = tm_process_command(command, sizeof command - 1);
    command[length] = '\0';
    for (const char *word = command; word < command + length; word += strlen(word) + 1) {
        const char *rest = word + sizeof option - 1;
        if (strncmp(word, option, sizeof option - 1) == 0) {
            rest += *rest == '\0' && rest + 1 < command + length;
            if (strncmp(rest, "tracemalloc", strlen("tracemalloc")) == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool begin(void)
{
    if (!tm_tracemalloc_module_open(&module) || *module.tracing != 0) {
        return false;
    }
    if (!python_will_start_it()) {
        starve();
        if (!is_starved) {
            return false;
        }
    }
    if (!listen()) {
        if (is_starved) {
            stop_starving();
        }
        return false;
    }
    wrap_methods();
    return true;
}

bool tm_exact_mode_begin(void (*hear_block)(uintptr_t block))
{
    struct tm_thread *thread = tm_thread_self();
    hear = hear_block;
    tm_door_guard_up(thread);
    bool is_begun = begin();
    tm_door_guard_down(thread);
    return is_begun;
}

void tm_exact_mode_end(void)
{
    has_ended = true;
    if (is_starved) {
        is_starved = false;
        *module.tracing = 0;
    }
}
