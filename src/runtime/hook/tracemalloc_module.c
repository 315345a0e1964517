/* SPDX-License-Identifier: MIT */
#include "runtime/hook/tracemalloc_module.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "runtime/hook/real_libc.h"
#include "runtime/track/runtime.h"

/* struct _PyTraceMalloc_Config, 3.8 to 3.11. */
struct config {
    int initialized;
    int tracing;
    int max_nframe;
};

/* PyModuleDef. */
struct module_definition {
    uintptr_t base[5];
    const char *name;
    const char *doc;
    long size;
    struct tm_method *methods;
};

#define METHOD_FASTCALL 0x80 /* METH_FASTCALL of methodobject.h */
#define MOST_TABLES     16U

/* The module allocates its tables by plain malloc while it is initialised. */
static struct {
    void *(*malloc)(size_t size);
    struct tm_traces_table *tables[MOST_TABLES];
    unsigned count;
} caught;

static void *catch_tables(size_t size)
{
    void *block = caught.malloc(size);
    if (block != NULL && size == sizeof(struct tm_traces_table) && caught.count < MOST_TABLES) {
        caught.tables[caught.count++] = block;
    }
    return block;
}

static void find(void *pointer, const char *name)
{
    void *address = tm_cpython_symbol(tm_runtime_python(), name);
    memcpy(pointer, &address, sizeof address);
}

/* The one that is keyed by addresses and owns its values. */
static struct tm_traces_table *choose_table(void)
{
    struct tm_traces_table *chosen = NULL;
    void *hash, *compare;
    find(&hash, "_Py_hashtable_hash_ptr");
    find(&compare, "_Py_hashtable_compare_direct");
    for (unsigned i = 0; i < caught.count; i++) {
        struct tm_traces_table *table = caught.tables[i];
        if (hash != NULL && table->hash == hash && table->compare == compare && table->destroy_key == NULL &&
            table->destroy_value != NULL && table->get_entry != NULL) {
            if (chosen != NULL) {
                return NULL;
            }
            chosen = table;
        }
    }
    return chosen;
}

static void *make_module(void)
{
    void *(*init)(void);
    find(&init, "PyInit__tracemalloc");
    if (init == NULL) {
        return NULL;
    }
    caught.count = 0;
    caught.malloc = tm_real.malloc;
    tm_real.malloc = catch_tables;
    void *made = init();
    tm_real.malloc = caught.malloc;
    return made;
}

static void keep_method(const struct tm_method *methods, const char *name, struct tm_method *kept)
{
    memset(kept, 0, sizeof *kept);
    for (; methods->name != NULL; methods++) {
        if (strcmp(methods->name, name) == 0) {
            *kept = *methods;
        }
    }
}

bool tm_tracemalloc_module_open(struct tm_tracemalloc_module *module)
{
    struct module_definition *(*get_definition)(void *);
    void (*clear_error)(void);
    void *(*get_dictionary)(void *);
    void (*clear_dictionary)(void *);
    unsigned (*clear_type_cache)(void);
    void (*release)(void *);
    struct config *config;
    find(&config, "_Py_tracemalloc_config");
    find(&get_definition, "PyModule_GetDef");
    find(&clear_error, "PyErr_Clear");
    find(&get_dictionary, "PyModule_GetDict");
    find(&clear_dictionary, "PyDict_Clear");
    find(&clear_type_cache, "PyType_ClearCache");
    find(&release, "Py_DecRef");
    if (config == NULL || get_definition == NULL || clear_error == NULL || get_dictionary == NULL ||
        clear_dictionary == NULL || release == NULL) {
        return false;
    }
    void *made = make_module();
    struct module_definition *definition = made != NULL ? get_definition(made) : NULL;
    if (definition == NULL || definition->name == NULL || strcmp(definition->name, "_tracemalloc") != 0) {
        clear_error();
        return false;
    }
    module->tracing = &config->tracing;
    module->traceback_limit = &config->max_nframe;
    module->methods = definition->methods;
    keep_method(module->methods, "start", &module->start);
    keep_method(module->methods, "stop", &module->stop);
    module->traces = choose_table();
    /* Its definition and tables are static; its functions refer to it, and what they keep alive (names) would be found
     * by the program's own import instead of being made. */
    clear_dictionary(get_dictionary(made));
    release(made);
    if (clear_type_cache != NULL) {
        (void)clear_type_cache(); /* it keeps names too */
    }
    return (module->start.flags & METHOD_FASTCALL) != 0 && module->stop.call != NULL;
}

/* RESULT is a new reference or NULL. */
static bool finish_call(void *result)
{
    void (*clear_error)(void);
    void (*release)(void *);
    find(&clear_error, "PyErr_Clear");
    find(&release, "Py_DecRef");
    if (result == NULL) {
        clear_error();
        return false;
    }
    release(result);
    return true;
}

bool tm_tracemalloc_module_start(const struct tm_tracemalloc_module *module)
{
    void *(*make_int)(long);
    void *limit;
    find(&make_int, "PyLong_FromLong");
    if (make_int == NULL || (limit = make_int(*module->traceback_limit)) == NULL) {
        return finish_call(NULL);
    }
    /* METH_FASTCALL: the arguments and their number. */
    bool is_started = finish_call(module->start.call(NULL, &limit, (void *)1, NULL));
    (void)finish_call(limit);
    return is_started;
}

bool tm_tracemalloc_module_stop(const struct tm_tracemalloc_module *module)
{
    return finish_call(module->stop.call(NULL, NULL, NULL, NULL));
}
