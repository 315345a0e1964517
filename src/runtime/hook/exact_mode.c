/* SPDX-License-Identifier: MIT */
#include "runtime/hook/exact_mode.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/hook/door.h"
#include "runtime/hook/elf_object.h"
#include "runtime/hook/traces_table.h"
#include "runtime/hook/tracemalloc_module.h"
#include "runtime/track/runtime.h"

#define DOMAINS       3
#define NEW_REFERENCE "_PyTraceMalloc_NewReference"

static struct tm_tracemalloc_module module;
static struct tm_traces_table traces;
static void (*hear)(uintptr_t block);
static bool is_starved; /* the module runs for us and gets nothing; for the program it is stopped */
static bool has_ended;
static bool is_asked; /* the program looks a block up: nothing is born */
static tm_traces_lookup *real_lookup;
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
    } else if (*module.tracing == 0 && !has_ended) {
        starve(); /* the program has stopped it, or could not start it */
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

/* Libraries that have a domain of their own, such as numpy, call these from C. */
enum { NOT_TRACING = -2 };
static int (*real_track)(unsigned domain, uintptr_t block, size_t size);
static int (*real_untrack)(unsigned domain, uintptr_t block);

static int track(unsigned domain, uintptr_t block, size_t size)
{
    return is_starved ? NOT_TRACING : real_track(domain, block, size);
}

static int untrack(unsigned domain, uintptr_t block)
{
    return is_starved ? NOT_TRACING : real_untrack(domain, block);
}

/* For libraries that are loaded from now on, and for dlsym. */
static bool replace(const struct tm_elf_object *interpreter, const char *name, void *real, uintptr_t replacement)
{
    const struct tm_cpython *python = tm_runtime_python();
    uintptr_t *place = tm_loaded_symbol_value(&python->where.library, name);
    if (place == NULL) {
        return false;
    }
    const uintptr_t function = python->where.library.base + *place;
    memcpy(real, &function, sizeof function);
    return tm_elf_object_set_word(interpreter, place, replacement - interpreter->base);
}

static bool wrap_functions(const struct tm_elf_object *interpreter)
{
    return replace(interpreter, "PyTraceMalloc_Track", &real_track, (uintptr_t)track) &&
           replace(interpreter, "PyTraceMalloc_Untrack", &real_untrack, (uintptr_t)untrack);
}

/* 2. Births. */

/* Also heard are the blocks that a module that really traces adds and, in 3.8, takes out: the first have just been
 * recorded on this very line, the others are no longer known by then. */
static uintptr_t hear_lookup(void *table, const void *key)
{
    uintptr_t block = is_asked ? 0 : tm_traces_table_block(&traces, table, key);
    if (block != 0) {
        hear(block);
    }
    return real_lookup(table, key);
}

static int hear_new_reference(void *object)
{
    int result = is_starved ? -1 : real_new_reference(object);
    uintptr_t block = tm_python_born_block(&tm_runtime_python()->row, (uintptr_t)object);
    if (block != 0) {
        hear(block);
    }
    return result;
}

static bool calls_by_reference(const struct tm_elf_object *interpreter)
{
    void *function = tm_cpython_symbol(tm_runtime_python(), NEW_REFERENCE);
    memcpy(&real_new_reference, &function, sizeof function);
    return function != NULL && tm_elf_object_count_references(interpreter, NEW_REFERENCE) != 0;
}

static bool listen_to_references(const struct tm_elf_object *interpreter)
{
    uintptr_t function;
    memcpy(&function, &real_new_reference, sizeof function);
    /* Extension modules inline the test of the flag and call the symbol themselves. */
    return tm_elf_object_rebind(interpreter, NEW_REFERENCE, function, (uintptr_t)hear_new_reference) != 0 &&
           tm_elf_object_redefine(interpreter, NEW_REFERENCE, (uintptr_t)hear_new_reference);
}

static void listen_to_lookups(void)
{
    real_lookup = *traces.lookup;
    *traces.lookup = hear_lookup;
}

/* 3. Beginning and end. */

bool tm_exact_mode_is_needed(void)
{
    const struct tm_cpython *python = tm_runtime_python();
    return tm_runtime_config()->exact && python->layout != NULL && python->row.recycled_by_flag;
}

static void find(void *pointer, const char *name)
{
    void *address = tm_cpython_symbol(tm_runtime_python(), name);
    memcpy(pointer, &address, sizeof address);
}

/* As Python reads a number of frames: 0 starts nothing, and at what is none it ends by itself. */
static bool is_not_zero(const char *text)
{
    char *end;
    return strtol(text, &end, 10) != 0 || end == text || *end != '\0';
}

static bool environment_says_so(void)
{
    const int *is_ignored;
    const char *value = getenv("PYTHONTRACEMALLOC");
    find(&is_ignored, "Py_IgnoreEnvironmentFlag");
    return value != NULL && *value != '\0' && (is_ignored == NULL || *is_ignored == 0) && is_not_zero(value);
}

/* The value of -X tracemalloc, borrowed: a str, or True where it has none; NULL: it was not given. */
static void *option(void)
{
    void *(*get_options)(void); /* what both return is borrowed, or NULL */
    void *(*get_item)(void *options, const char *key);
    find(&get_options, "PySys_GetXOptions");
    find(&get_item, "PyDict_GetItemString");
    void *options = get_options != NULL && get_item != NULL ? get_options() : NULL;
    return options != NULL ? get_item(options, "tracemalloc") : NULL;
}

static bool option_says_so(void *value)
{
    const char *(*text_of)(void *);
    find(&text_of, "PyUnicode_AsUTF8");
    bool has_text = text_of != NULL && value != tm_cpython_symbol(tm_runtime_python(), "_Py_TrueStruct");
    const char *text = has_text ? text_of(value) : NULL;
    return text == NULL || *text == '\0' || is_not_zero(text);
}

/* Python's own start of the module would find the flag set and do nothing. */
static bool python_will_start_it(void)
{
    void *value = option();
    return value != NULL ? option_says_so(value) : environment_says_so();
}

/* The first start makes the module's tables. */
static bool starve_and_find_table(void)
{
    if (module.use_domain != NULL) {
        *module.use_domain = 1; /* else 3.8 makes another table when a library first asks for a domain of its own */
    }
    tm_traces_table_catch();
    starve();
    return tm_traces_table_found(&traces);
}

static const char *begin(void)
{
    struct tm_elf_object interpreter;
    if (!tm_elf_object_find((uintptr_t)tm_cpython_symbol(tm_runtime_python(), "PyLong_FromLong"), &interpreter)) {
        return "its library is not found";
    }
    const char *fault = tm_tracemalloc_module_find(&module, &interpreter);
    if (fault != NULL) {
        return fault;
    }
    if (*module.tracing != 0) {
        return "its tracemalloc module traces already";
    }
    if (!wrap_functions(&interpreter)) {
        return "its tracemalloc functions cannot be replaced";
    }
    if (calls_by_reference(&interpreter)) {
        starve();
        fault = listen_to_references(&interpreter) ? NULL : "its references cannot be changed";
    } else if (starve_and_find_table()) {
        listen_to_lookups();
    } else {
        fault = "the table of its tracemalloc module is not found";
    }
    if (!is_starved) {
        return "its tracemalloc module does not start";
    }
    if (fault != NULL || python_will_start_it()) {
        stop_starving();
    }
    if (fault == NULL) {
        wrap_methods();
    }
    return fault;
}

const char *tm_exact_mode_begin(void (*hear_block)(uintptr_t block))
{
    struct tm_thread *thread = tm_thread_self();
    hear = hear_block;
    tm_door_guard_up(thread);
    const char *fault = begin();
    tm_door_guard_down(thread);
    return fault;
}

void tm_exact_mode_end(void)
{
    has_ended = true;
    if (is_starved) {
        is_starved = false;
        *module.tracing = 0;
    }
}
