/* SPDX-License-Identifier: MIT */
#include "runtime/unwind/cpython_runtime.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "runtime/unwind/getter_code.h"

/* memcpy, because ISO C has no cast from object to function pointers. */
static void resolve(const struct tm_cpython *python, void *function, const char *name)
{
    void *address = tm_cpython_symbol(python, name);
    memcpy(function, &address, sizeof address);
}

static void resolve_first(const struct tm_cpython *python, void *function, const char *name, const char *older_name)
{
    void *address = tm_cpython_symbol(python, name);
    if (address == NULL) {
        address = tm_cpython_symbol(python, older_name);
    }
    memcpy(function, &address, sizeof address);
}

/* "3.10.13 (main, ...": the numbers that stand in PY_VERSION_HEX. */
static uint32_t parse_version(const char *text)
{
    uint32_t version = 0;
    unsigned part;
    for (part = 0; part < 3; part++) {
        uint32_t number = 0;
        while (*text >= '0' && *text <= '9') {
            number = number * 10 + (uint32_t)(*text++ - '0');
        }
        version = version << 8 | (number & 0xFFU);
        if (*text != '.') {
            version <<= 8 * (2 - part);
            break;
        }
        text++;
    }
    return version << 8;
}

static uint32_t find_version(const struct tm_cpython *python)
{
    const unsigned long *number = tm_cpython_symbol(python, "Py_Version");
    const char *(*text)(void);
    if (number != NULL) {
        return (uint32_t)*number;
    }
    resolve(python, &text, "Py_GetVersion");
    return parse_version(text());
}

static void resolve_functions(struct tm_cpython *python)
{
    uintptr_t (*getter)(void);
    resolve_first(python, &getter, "PyThreadState_GetUnchecked", "_PyThreadState_UncheckedGet");
    tm_getter_resolve(&python->current, getter, &python->where);
    if (getter == NULL) { /* 2.7: only the variable */
        python->current.word = tm_cpython_symbol(python, "_PyThreadState_Current");
    }
    if (getter != NULL) { /* where that is missing, this one takes a lock: see the header */
        resolve(python, &python->this_thread, "PyGILState_GetThisThreadState");
    }
    resolve(python, &getter, "PyInterpreterState_Main");
    tm_getter_resolve(&python->main_interpreter, getter, &python->where);
    resolve(python, &python->is_initialized, "Py_IsInitialized");
    resolve_first(python, &python->is_finalizing, "Py_IsFinalizing", "_Py_IsFinalizing");
    python->finalizing_word = python->is_finalizing != NULL ? tm_getter_truth(python->is_finalizing)
                                                            : tm_cpython_symbol(python, "_Py_Finalizing");
    resolve(python, &python->get_allocator, "PyMem_GetAllocator");
    resolve(python, &python->set_allocator, "PyMem_SetAllocator");
    resolve(python, &python->get_arena_allocator, "PyObject_GetArenaAllocator");
    resolve(python, &python->set_arena_allocator, "PyObject_SetArenaAllocator");
    resolve(python, &python->get_ref_tracer, "PyRefTracer_GetTracer");
    resolve(python, &python->set_ref_tracer, "PyRefTracer_SetTracer");
}

/* The table of offsets at the head of _PyRuntime: cookie, version, free-threaded or not, then the offsets. */
struct offsets_head {
    char cookie[8];
    uint64_t version;
    uint64_t free_threaded;
};

static const struct offsets_head *find_offsets(const struct tm_cpython *python, size_t *size)
{
    const struct offsets_head *head = tm_loaded_symbol(&python->where.library, "_PyRuntime", size);
    if (head == NULL || *size < sizeof *head || memcmp(head->cookie, "xdebugpy", sizeof head->cookie) != 0 ||
        head->version != python->version) {
        return NULL;
    }
    return head;
}

static const char *choose_row(struct tm_cpython *python)
{
    size_t size = 0;
    const struct offsets_head *offsets = find_offsets(python, &size);
    const struct tm_cpython_layout *row;
    python->free_threaded = offsets != NULL && offsets->free_threaded != 0;
    row = tm_cpython_layout_find(python->version >> 16, python->free_threaded);
    if (row == NULL) {
        return "this release of Python is not known";
    }
    python->row = *row;
    if (!tm_cpython_layout_has_offsets(row)) {
        return NULL;
    }
    return offsets != NULL ? tm_cpython_layout_compare(row, offsets, size) : "this Python does not state its offsets";
}

static const char *find_types(struct tm_cpython *python)
{
    struct tm_cpython_layout *row = &python->row;
    row->code_type = (uintptr_t)tm_cpython_symbol(python, "PyCode_Type");
    row->bytes_type = (uintptr_t)tm_cpython_symbol(python, row->text_is_bytes ? "PyString_Type" : "PyBytes_Type");
    row->text_type = row->text_is_bytes ? row->bytes_type : (uintptr_t)tm_cpython_symbol(python, "PyUnicode_Type");
    row->frame_type = (uintptr_t)tm_cpython_symbol(python, "PyFrame_Type");
    if (row->code_type == 0 || row->bytes_type == 0 || row->text_type == 0 || row->frame_type == 0) {
        return "this Python does not export its types";
    }
    return python->current.call != NULL || python->current.word != NULL ? NULL
                                                                        : "this Python does not tell its thread state";
}

bool tm_cpython_find(struct tm_cpython *python)
{
    if (!tm_loaded_library_find("Py_GetVersion", &python->where)) {
        python->refusal = "no Python was found";
        return false;
    }
    python->version = find_version(python);
    resolve_functions(python);
    python->refusal = choose_row(python);
    if (python->refusal == NULL) {
        python->refusal = find_types(python);
    }
    if (python->refusal == NULL) {
        python->layout = &python->row;
        python->refusal = "";
    }
    return true;
}

void *tm_cpython_symbol(const struct tm_cpython *python, const char *name)
{
    return tm_loaded_symbol(&python->where.library, name, NULL);
}

void tm_cpython_pin(const struct tm_cpython *python)
{
    Dl_info info;
    if (!python->where.library.is_program && dladdr(tm_cpython_symbol(python, "Py_GetVersion"), &info) != 0 &&
        info.dli_fname != NULL) {
        (void)dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD); /* never closed: this is the pin */
    }
}

bool tm_cpython_is_initialized(const struct tm_cpython *python)
{
    return python->is_initialized != NULL && python->is_initialized() != 0;
}

/* A finalizing interpreter frees the states of all other threads while they may still run without the GIL. */
static uintptr_t unless_finalizing(const struct tm_cpython *python, uintptr_t tstate)
{
    return tstate != 0 && !tm_cpython_is_finalizing(python) ? tstate : 0;
}

uintptr_t tm_cpython_tstate_own(const struct tm_cpython *python, bool *holds_gil)
{
    const uintptr_t current = tm_cpython_getter_read(&python->current);
    uintptr_t own;
    if (python->row.tstate_current_is_own && current != 0) {
        *holds_gil = true;
        return current;
    }
    if (python->this_thread == NULL) {
        *holds_gil = current != 0 && python->row.tstate_thread_id != 0 &&
                     *(const uintptr_t *)(current + python->row.tstate_thread_id) == (uintptr_t)pthread_self();
        return *holds_gil ? current : 0;
    }
    own = python->this_thread();
    *holds_gil = own != 0 && own == current;
    return *holds_gil ? own : unless_finalizing(python, own);
}
