/* SPDX-License-Identifier: MIT */
#include "runtime/hook/exact_mode.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/hook/door.h"
#include "runtime/hook/elf_object.h"
#include "runtime/hook/tracemalloc_module.h"
#include "runtime/os/os_process.h"
#include "runtime/track/runtime.h"

#define DOMAINS         3
#define NEW_REFERENCE   "_PyTraceMalloc_NewReference"

static struct tm_tracemalloc_module module;
static void (*hear)(uintptr_t block);
static bool is_forced;        /* the flag is ours; what the program thinks is program_tracing */
static bool was_started;      /* the module has saved allocators, so that stopping it is harmless */
static bool has_ended;
static int program_tracing;
static bool is_asked;         /* the program looks a block up: nothing is born */
static void *(*real_get_entry)(struct tm_traces_table *table, const void *key);
static int (*real_new_reference)(void *object);

/* 1. What the program sees. */

static void tell_the_truth(void)
{
    if (is_forced) {
        *module.tracing = program_tracing;
    }
}

static void force(void)
{
    program_tracing = *module.tracing;
    was_started |= program_tracing != 0;
    is_forced = was_started && !has_ended;
    if (is_forced) {
        *module.tracing = 1;
    }
}

#define METHODS(X) \
    X(0, "is_tracing") X(1, "clear_traces") X(2, "_get_traces") X(3, "_get_object_traceback") X(4, "start") \
    X(5, "stop") X(6, "get_traceback_limit") X(7, "get_tracemalloc_memory") X(8, "get_traced_memory") X(9, "reset_peak")

enum { CLEAR_TRACES = 1, GET_OBJECT_TRACEBACK = 3, START = 4, METHOD_COUNT = 10 };

static void *(*real_methods[METHOD_COUNT])(void *self, void *first, void *second, void *third);

static void forget_foreign_traces(void)
{
    void (*release)(void *);
    void *function = tm_cpython_symbol(tm_runtime_python(), "Py_DecRef");
    memcpy(&release, &function, sizeof release);
    if (real_methods[CLEAR_TRACES] != NULL && is_forced) {
        void *none = real_methods[CLEAR_TRACES](NULL, NULL, NULL, NULL); /* does nothing unless the flag is set */
        if (none != NULL) {
            release(none);
        }
    }
}

static void *call_method(unsigned index, void *self, void *first, void *second, void *third)
{
    if (index == START && !program_tracing) {
        forget_foreign_traces();
    }
    tell_the_truth();
    is_asked = index == GET_OBJECT_TRACEBACK;
    void *result = real_methods[index](self, first, second, third);
    is_asked = false;
    force();
    return result;
}

#define WRAPPER(index, name)                                                              \
    static void *method_##index(void *self, void *first, void *second, void *third)       \
    {                                                                                     \
        return call_method(index, self, first, second, third);                            \
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
    int result = program_tracing || !is_forced ? real_new_reference(object) : -1;
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
    const uint32_t release = python->version >> 16;
    return tm_runtime_config()->exact && python->layout != NULL && release >= 0x0308 && release <= 0x030b;
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

/* Starts the module and takes its hooks off again.  That they are off is nothing to the program: what it allocates
 * meanwhile is nothing. */
static bool start_starved(void)
{
    const struct tm_cpython *python = tm_runtime_python();
    struct tm_cpython_allocator ours[DOMAINS];
    for (int domain = 0; domain < DOMAINS; domain++) {
        python->get_allocator(domain, &ours[domain]);
    }
    bool is_started = tm_tracemalloc_module_call(&module, "start");
    for (int domain = 0; domain < DOMAINS; domain++) {
        python->set_allocator(domain, &ours[domain]);
    }
    return is_started && *module.tracing == 1;
}

static bool begin(void)
{
    if (!tm_tracemalloc_module_open(&module) || *module.tracing != 0) {
        return false;
    }
    bool is_starved = !python_will_start_it();
    if (is_starved && !start_starved()) {
        return false;
    }
    if (!listen()) {
        *module.tracing = 0;
        return false;
    }
    wrap_methods();
    was_started = is_forced = is_starved;
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
    tell_the_truth();
    has_ended = true;
    is_forced = false;
}
