/* SPDX-License-Identifier: MIT */
#include "runtime/hook/tracemalloc_module.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "runtime/os/os_peek.h"
#include "runtime/track/runtime.h"
#include "runtime/unwind/getter_code.h"

/* struct _PyTraceMalloc_Config: a variable of its own until 3.11, in 3.12 part of _PyRuntime. */
struct config {
    int initialized;
    int tracing;
    int max_nframe;
    int use_domain; /* 3.8 */
};

/* PyModuleDef. */
struct module_definition {
    uintptr_t references; /* PyModuleDef_Base */
    uintptr_t filled_by_first_import[4];
    const char *name;
    const char *doc;
    long size;
    struct tm_method *methods;
};

#define METHOD_FASTCALL 0x80 /* METH_FASTCALL of methodobject.h */

static void find(void *pointer, const char *name)
{
    void *address = tm_cpython_symbol(tm_runtime_python(), name);
    memcpy(pointer, &address, sizeof address);
}

/* 1. The flag. */

/* The two words of it that exported functions return. */
static struct config *part_of_runtime(void)
{
    int (*is_tracing)(void);
    int (*get_limit)(void);
    size_t size = 0;
    find(&is_tracing, "_PyTraceMalloc_IsTracing");
    find(&get_limit, "_PyTraceMalloc_GetTracebackLimit");
    const uintptr_t runtime = (uintptr_t)tm_loaded_symbol(&tm_runtime_python()->where.library, "_PyRuntime", &size);
    const uintptr_t tracing = (uintptr_t)tm_getter_int(is_tracing);
    const uintptr_t limit = (uintptr_t)tm_getter_int(get_limit);
    const uintptr_t config = tracing - offsetof(struct config, tracing);
    if (runtime == 0 || tracing == 0 || config < runtime || limit + sizeof(int) > runtime + size ||
        limit != config + offsetof(struct config, max_nframe)) {
        return NULL;
    }
    return (struct config *)config;
}

static bool find_config(struct tm_tracemalloc_module *module)
{
    size_t size = 0;
    struct config *config = tm_loaded_symbol(&tm_runtime_python()->where.library, "_Py_tracemalloc_config", &size);
    if (config == NULL) {
        config = part_of_runtime();
    } else if (size == sizeof *config && config->initialized == 0) {
        module->use_domain = &config->use_domain;
    }
    if (config == NULL) {
        return false;
    }
    module->tracing = &config->tracing;
    module->traceback_limit = &config->max_nframe;
    return true;
}

/* 2. The functions. */

static bool may_be_definition(const struct module_definition *definition, const struct tm_elf_object *interpreter)
{
    static const uintptr_t nothing[4];
    const uintptr_t methods = (uintptr_t)definition->methods;
    return definition->references != 0 && memcmp(definition->filled_by_first_import, nothing, sizeof nothing) == 0 &&
           tm_elf_range_holds(&interpreter->all, (uintptr_t)definition->name) &&
           tm_elf_range_holds(&interpreter->data, methods) && methods % sizeof methods == 0;
}

/* It is static, has no symbol, and only PyInit__tracemalloc refers to it. */
static const struct module_definition *find_definition(const struct tm_elf_object *interpreter)
{
    static const char name[] = "_tracemalloc";
    const struct tm_elf_range *data = &interpreter->data;
    const uintptr_t first = (data->low + sizeof(uintptr_t) - 1) & ~(sizeof(uintptr_t) - 1);
    for (uintptr_t at = first; at + sizeof(struct module_definition) <= data->high; at += sizeof(uintptr_t)) {
        const struct module_definition *definition = (const struct module_definition *)at;
        char found[sizeof name];
        if (may_be_definition(definition, interpreter) &&
            tm_memory_peek((uintptr_t)definition->name, found, sizeof found) && memcmp(found, name, sizeof name) == 0) {
            return definition;
        }
    }
    return NULL;
}

static void keep_method(const struct tm_method *methods, const char *name, struct tm_method *kept)
{
    for (; methods->name != NULL; methods++) {
        if (strcmp(methods->name, name) == 0) {
            *kept = *methods;
        }
    }
}

const char *tm_tracemalloc_module_find(struct tm_tracemalloc_module *module, const struct tm_elf_object *interpreter)
{
    memset(module, 0, sizeof *module);
    if (!find_config(module)) {
        return "the flag of its tracemalloc module is not found";
    }
    const struct module_definition *definition = find_definition(interpreter);
    if (definition == NULL) {
        return "its tracemalloc module is not found";
    }
    module->methods = definition->methods;
    keep_method(module->methods, "start", &module->start);
    keep_method(module->methods, "stop", &module->stop);
    if ((module->start.flags & METHOD_FASTCALL) == 0 || module->stop.call == NULL) {
        return "its tracemalloc module is of another shape";
    }
    return NULL;
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

static bool start(const struct tm_tracemalloc_module *module)
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

bool tm_tracemalloc_module_start(const struct tm_tracemalloc_module *module)
{
    void (*take_error)(void **type, void **value, void **traceback);
    void (*put_error)(void *type, void *value, void *traceback);
    void *error[3];
    find(&take_error, "PyErr_Fetch");
    find(&put_error, "PyErr_Restore");
    if (take_error == NULL || put_error == NULL) {
        return false;
    }
    take_error(&error[0], &error[1], &error[2]);
    bool is_started = start(module);
    put_error(error[0], error[1], error[2]);
    return is_started;
}

bool tm_tracemalloc_module_stop(const struct tm_tracemalloc_module *module)
{
    return finish_call(module->stop.call(NULL, NULL, NULL, NULL));
}
