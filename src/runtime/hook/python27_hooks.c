/* SPDX-License-Identifier: MIT */
#include "runtime/hook/python27_hooks.h"

#include <string.h>

#include "runtime/hook/door.h"
#include "runtime/hook/moments.h"
#include "runtime/track/runtime.h"

static bool is_watched;

static struct {
    void *(*malloc)(size_t size);
    void *(*realloc)(void *block, size_t size);
    void (*free)(void *block);
} real;

TM_INLINE bool hears(struct tm_thread *thread)
{
    if (TM_UNLIKELY(!tm_door_hears(thread))) {
        return false;
    }
    if (TM_UNLIKELY(tm_doors_are_careful)) {
        tm_moments_look(thread);
    }
    return true;
}

/* The event was recorded.  Every one looks: what lies outside objects comes from malloc, past these doors. */
TM_INLINE void look(struct tm_thread *thread)
{
    if (TM_UNLIKELY(is_watched)) {
        tm_runtime_look(thread);
    }
}

static void *object_malloc(size_t size)
{
    struct tm_thread *thread = tm_thread_self();
    if (TM_UNLIKELY(!hears(thread))) {
        return real.malloc(size);
    }
    bool is_taken = !tm_doors_sample || tm_door_takes(thread, size);
    tm_door_guard_up(thread);
    void *block = real.malloc(size);
    tm_door_guard_down(thread);
    if (TM_LIKELY(block != NULL) && is_taken) {
        tm_tracker_alloc(thread, TM_DOMAIN_OBJ, block, size);
        look(thread);
    }
    return block;
}

static void *object_realloc(void *block, size_t size)
{
    struct tm_thread *thread = tm_thread_self();
    struct tm_taken taken;
    if (TM_UNLIKELY(!hears(thread))) {
        return real.realloc(block, size);
    }
    bool was_known = block != NULL && tm_tracker_take(thread, block, &taken);
    bool is_taken = !tm_doors_sample || tm_door_takes(thread, size);
    /* Unknown: let the doors behind hear it, but not where nearly all are. */
    uint32_t guard = was_known || block == NULL || tm_doors_sample ? TM_DOOR_GUARD : 0;
    thread->guard += guard;
    void *moved = real.realloc(block, size);
    thread->guard -= guard;
    if (TM_LIKELY(moved != NULL)) {
        if (is_taken) {
            tm_tracker_alloc(thread, TM_DOMAIN_OBJ, moved, size);
        }
        look(thread);
    } else if (was_known) {
        tm_tracker_put_back(thread, block, &taken);
    }
    return moved;
}

static void object_free(void *block)
{
    struct tm_thread *thread = tm_thread_self();
    struct tm_taken taken;
    if (thread->guard != 0 || !tm_tracker_take(thread, block, &taken)) {
        real.free(block);
        return;
    }
    tm_door_guard_up(thread);
    real.free(block);
    tm_door_guard_down(thread);
}

struct rebinding {
    const char *name;
    uintptr_t real;
    uintptr_t replacement;
    bool is_whole; /* no place was left out so far */
};

static bool rebind_one(const struct tm_elf_object *object, void *data)
{
    struct rebinding *rebinding = data;
    if (!tm_elf_object_rebind_all(object, rebinding->name, rebinding->real, rebinding->replacement)) {
        rebinding->is_whole = false;
    }
    return true;
}

static bool rebind(const struct tm_elf_object *object, struct rebinding *rebinding)
{
    /* First for what is loaded later (extension modules), then for what is here. */
    rebinding->is_whole = tm_elf_object_redefine(object, rebinding->name, rebinding->replacement);
    tm_elf_object_visit(rebind_one, rebinding);
    return rebinding->is_whole;
}

/* Python compares these functions by their address (a type's tp_free with PyObject_Free): replaced in all places, or in
 * none.  Those that were replaced before stay so: to take that back might fail, too. */
static void rebind_back(const struct tm_elf_object *object, const struct rebinding *rebinding)
{
    struct rebinding back = {rebinding->name, rebinding->replacement, rebinding->real, true};
    (void)rebind(object, &back);
}

void tm_python27_hooks_begin(const struct tm_elf_object *object)
{
    const struct tm_cpython *python = tm_runtime_python();
    is_watched = tm_runtime_is_watched();
    struct rebinding functions[] = {
        {"PyObject_Malloc", (uintptr_t)tm_cpython_symbol(python, "PyObject_Malloc"), (uintptr_t)object_malloc, true},
        {"PyObject_Realloc", (uintptr_t)tm_cpython_symbol(python, "PyObject_Realloc"), (uintptr_t)object_realloc, true},
        {"PyObject_Free", (uintptr_t)tm_cpython_symbol(python, "PyObject_Free"), (uintptr_t)object_free, true},
    };
    for (unsigned i = 0; i < TM_COUNT_OF(functions); i++) {
        if (functions[i].real == functions[i].replacement) {
            return; /* done before, in the same library */
        }
        if (functions[i].real == 0 || tm_elf_object_count_references(object, functions[i].name) == 0) {
            return; /* called directly: a static build */
        }
    }
    memcpy(&real.malloc, &functions[0].real, sizeof real.malloc);
    memcpy(&real.realloc, &functions[1].real, sizeof real.realloc);
    memcpy(&real.free, &functions[2].real, sizeof real.free);
    /* Frees first: a block that was born here must die here. */
    for (unsigned i = TM_COUNT_OF(functions); i-- > 0;) {
        if (!rebind(object, &functions[i])) {
            rebind_back(object, &functions[i]);
            return;
        }
    }
}
