/* SPDX-License-Identifier: MIT */
#include "runtime/hook/recycle_hooks.h"

#include <errno.h>
#include <string.h>

#include "runtime/hook/door.h"
#include "runtime/hook/exact_mode.h"
#include "runtime/hook/python_hooks.h"
#include "runtime/os/os_message.h"
#include "runtime/track/recycle_quick.h"
#include "runtime/track/runtime.h"
#include "runtime/unwind/python_stack.h"

typedef void new_reference(void *object);

bool tm_recycle_tracer_is_awaited;
static const struct tm_cpython_layout *layout; /* NULL: births are not heard */
static enum tm_quick_way way;
static struct {
    bool is_used;
    tm_cpython_ref_tracer *previous;
    void *previous_data;
} tracer;
static bool symbol_is_used;
static bool exact_is_used;
static bool exact_is_decided;
static new_reference *real_new_reference;
static new_reference *real_new_reference_no_total;

/* A function of its own, called as the last act: so those before it, where most births end, need not save registers.
 * All answer 0, as a reference tracer has to. */
static __attribute__((noinline)) int hear_recycled(struct tm_thread *thread, uintptr_t block)
{
    if (TM_UNLIKELY(!tm_recycle_stays(block, way))) {
        tm_tracker_recycle(thread, (const void *)block);
    }
    return 0;
}

TM_INLINE int hear_block(uintptr_t block)
{
    struct tm_thread *thread = tm_thread_self();
    if (TM_UNLIKELY(thread->guard != 0)) {
        return 0;
    }
    if (TM_LIKELY(thread->newborn == block)) {
        thread->newborn = 0; /* its allocation has just been recorded */
        return 0;
    }
    return hear_recycled(thread, block);
}

TM_INLINE int born(uintptr_t object)
{
    uintptr_t block = tm_python_born_block(layout, object);
    return TM_LIKELY(block != 0) ? hear_block(block) : 0;
}

/* 1. By tracer. */

enum { CREATED, DESTROYED };

static TM_COLD int hear_and_tell(void *object, int event)
{
    if (event == CREATED) {
        (void)born((uintptr_t)object);
    }
    /* What comes beyond these two is news about us, not about the tracer that was there before. */
    return event <= DESTROYED ? tracer.previous(object, event, tracer.previous_data) : 0;
}

static int hear_tracer(void *object, int event, void *data)
{
    (void)data;
    if (TM_UNLIKELY(tracer.previous != NULL)) {
        return hear_and_tell(object, event);
    }
    return event == CREATED ? born((uintptr_t)object) : 0;
}

/* Both functions want an attached caller (debug builds abort without); 3.15 also calls the former tracer and looks for
 * an exception, so there must be a frame.  The interpreter need not be initialised: io and site are imported before. */
static bool may_use_tracer(const struct tm_cpython *python)
{
    struct tm_raw_frame frame;
    uintptr_t tstate = tm_cpython_getter_read(&python->current);
    return tstate != 0 && tm_python_stack_top(layout, tstate, &frame) != 0;
}

void tm_recycle_hooks_look(void)
{
    const struct tm_cpython *python = tm_runtime_python();
    struct tm_thread *thread = tm_thread_self();
    void *data = NULL;
    if (!tm_recycle_tracer_is_awaited || !may_use_tracer(python)) {
        return;
    }
    int saved = errno;
    tm_recycle_tracer_is_awaited = false;
    tm_door_guard_up(thread);
    tm_cpython_ref_tracer *present = python->get_ref_tracer(&data);
    if (present != hear_tracer) {
        tracer.previous = present;
        tracer.previous_data = data;
        bool is_set = python->set_ref_tracer(hear_tracer, NULL) == 0;
        tm_runtime_note_recycled(is_set ? "tracer" : "none");
    }
    tm_door_guard_down(thread);
    errno = saved;
}

void tm_recycle_hooks_renew(void)
{
    if (tracer.is_used) {
        tm_recycle_tracer_is_awaited = true;
        tm_python_hooks_set_careful(true);
    }
}

void tm_recycle_hooks_check(void)
{
    const struct tm_cpython *python = tm_runtime_python();
    void *data;
    if (tracer.is_used && may_use_tracer(python)) {
        tm_runtime_note_recycled(python->get_ref_tracer(&data) == hear_tracer ? "tracer" : "none");
    }
}

/* 2. By symbol. */

static void hear_new_reference(void *object)
{
    real_new_reference(object);
    (void)born((uintptr_t)object);
}

/* 3.12: blocks that were resized in place. */
static void hear_new_reference_no_total(void *object)
{
    real_new_reference_no_total(object);
    (void)born((uintptr_t)object);
}

struct rebinding {
    const char *name;
    uintptr_t real;
    uintptr_t replacement;
};

static bool rebind_one(const struct tm_elf_object *object, void *data)
{
    const struct rebinding *rebinding = data;
    (void)tm_elf_object_rebind(object, rebinding->name, rebinding->real, rebinding->replacement);
    return true;
}

static bool rebind(const struct tm_elf_object *object, const char *name, new_reference *replacement,
                   new_reference **real)
{
    void *function = tm_cpython_symbol(tm_runtime_python(), name);
    if ((uintptr_t)function == (uintptr_t)replacement) {
        return true; /* done before, in the same library */
    }
    if (function == NULL || tm_elf_object_count_references(object, name) == 0) {
        return false;
    }
    memcpy(real, &function, sizeof function);
    struct rebinding rebinding = {name, (uintptr_t)function, (uintptr_t)replacement};
    /* First for what is loaded later, then for what is here. */
    bool is_redefined = tm_elf_object_redefine(object, name, rebinding.replacement);
    tm_elf_object_visit(rebind_one, &rebinding);
    return is_redefined;
}

/* 3. By the tracemalloc module. */

static void hear_exact(uintptr_t block)
{
    (void)hear_block(block);
}

void tm_recycle_hooks_initializing(void)
{
    if (tm_doors_sample || tracer.is_used || symbol_is_used || exact_is_decided || !tm_exact_mode_is_needed()) {
        return;
    }
    exact_is_decided = true;
    const char *fault = tm_exact_mode_begin(hear_exact);
    if (fault == NULL) {
        exact_is_used = true;
        tm_runtime_note_recycled("exact");
    } else {
        tm_message("TRACEMALLOC_EXACT=1: not with this build of Python, recycled objects keep their first line: ",
                   fault, NULL);
    }
}

void tm_recycle_hooks_end(void)
{
    if (exact_is_used) {
        tm_exact_mode_end();
    }
}

void tm_recycle_hooks_begin(const struct tm_elf_object *object)
{
    const struct tm_cpython *python = tm_runtime_python();
    if (tm_doors_sample) {
        tm_runtime_note_recycled("sampled"); /* nobody hears a recycled object that was not sampled */
        return;
    }
    if (python->layout == NULL) {
        return;
    }
    layout = &python->row;
    way = tm_quick_way_of(python, &tm_runtime.blocks);
    if (python->get_ref_tracer != NULL && python->set_ref_tracer != NULL) {
        tracer.is_used = true;
        tm_recycle_tracer_is_awaited = true;
    } else if (layout->recycled_by_new_reference &&
               rebind(object, "_Py_NewReference", hear_new_reference, &real_new_reference)) {
        (void)rebind(object, "_Py_NewReferenceNoTotal", hear_new_reference_no_total, &real_new_reference_no_total);
        symbol_is_used = true;
        tm_runtime_note_recycled("symbol");
    }
}

void tm_recycle_hooks_forget(void)
{
    layout = NULL;
    tracer.is_used = false;
    tm_recycle_tracer_is_awaited = false;
    symbol_is_used = false;
}
