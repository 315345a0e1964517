/* SPDX-License-Identifier: MIT */
/* The CPython interpreter of this process: which it is, and the few of its functions that are ever called.
 *
 * No function called at an event allocates, takes a lock, counts references or runs Python; each may be called before
 * Py_Initialize, after Py_Finalize and from threads that Python does not know.  They are, with the reason:
 *   Py_GetVersion                    2.7 to 3.10, once: these have no Py_Version; formats into a static buffer, always
 *                                    the same bytes
 *   _PyThreadState_UncheckedGet      3.6 to 3.12: thread state of the holder of the GIL, from 3.12 of this thread
 *   PyThreadState_GetUnchecked       3.13 and later: the same, made public
 *   PyGILState_GetThisThreadState    3.6 and later: state of this thread when it has let the GIL go.  Not in 2.7: there
 *                                    it takes a lock under which CPython calls malloc
 *   PyInterpreterState_Main          3.12 and later: own-GIL interpreters must be told from the main one
 *   Py_IsInitialized                 all
 *   Py_IsFinalizing, _Py_IsFinalizing  3.13 and later, 3.7 to 3.12; 3.6 has the data symbol _Py_Finalizing, 2.7 nothing
 *   PyMem_GetAllocator, PyMem_SetAllocator      3.6 and later (PEP 445): called by the doors
 *   PyObject_GetArenaAllocator, PyObject_SetArenaAllocator  3.4 and later: copy three words; called by the doors
 *   PyRefTracer_GetTracer, PyRefTracer_SetTracer  3.13 and later: called by the doors
 * The last six are not for events: PyMem_SetAllocator takes a mutex from 3.12 on, the tracer's setter needs an attached
 * thread state in 3.15.  The unchecked getters and PyInterpreterState_Main only return a variable: it is read in their
 * place when their code is one of a few known forms, see getter_code.h.
 *
 * Threads  tm_cpython_find: one thread at a time.  The rest: any thread.
 * errno    kept by all. */
#ifndef TM_RUNTIME_UNWIND_CPYTHON_RUNTIME_H
#define TM_RUNTIME_UNWIND_CPYTHON_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "runtime/unwind/cpython_layout.h"
#include "runtime/unwind/loaded_symbol.h"
#include "runtime/unwind/python_frame.h"

/* PyMemAllocatorEx (PEP 445, since 3.5). */
struct tm_cpython_allocator {
    void *ctx;
    void *(*malloc)(void *ctx, size_t size);
    void *(*calloc)(void *ctx, size_t count, size_t size);
    void *(*realloc)(void *ctx, void *block, size_t size);
    void (*free)(void *ctx, void *block);
};

/* PyObjectArenaAllocator (3.4). */
struct tm_cpython_arena_allocator {
    void *ctx;
    void *(*alloc)(void *ctx, size_t size);
    void (*free)(void *ctx, void *arena, size_t size);
};

/* PyMemAllocatorDomain. */
enum tm_cpython_domain { TM_CPYTHON_RAW, TM_CPYTHON_MEM, TM_CPYTHON_OBJ };

/* PyRefTracer (3.13): EVENT 0 is the birth of OBJECT, 1 its death; 3.15 adds 2 with OBJECT NULL. */
typedef int tm_cpython_ref_tracer(void *object, int event, void *data);

/* A function without arguments that returns one word, and where that word lies if that could be found out. */
struct tm_cpython_getter {
    uintptr_t (*call)(void);
    const uintptr_t *word; /* NULL: not known */
    intptr_t tls_offset;   /* from the thread pointer; 0: not known */
};

struct tm_cpython {
    /* NULL: frames are not read, and refusal says why.  Points to row below: do not copy this structure. */
    const struct tm_cpython_layout *layout;
    const char *refusal; /* static text; "" when layout is set */
    uint32_t version;    /* as PY_VERSION_HEX */
    bool frames_checked;
    bool free_threaded;
    uintptr_t peeked_tstate; /* tm_cpython_check_frames: the state and the holder of its newest frame that were read */
    uintptr_t peeked_holder;
    struct tm_loaded_search where; /* its library, and how far the search for one has come */

    struct tm_cpython_getter current; /* thread state: of the holder of the GIL, from 3.12 of this thread */
    struct tm_cpython_getter main_interpreter;
    uintptr_t (*this_thread)(void); /* NULL in 2.7 */
    int (*is_initialized)(void);
    int (*is_finalizing)(void);       /* NULL in 2.7 and 3.6 */
    const uintptr_t *finalizing_word; /* not 0 while finalizing; NULL: not known, so the function is called */
    void (*get_allocator)(int domain, struct tm_cpython_allocator *allocator); /* NULL in 2.7 */
    void (*set_allocator)(int domain, const struct tm_cpython_allocator *allocator);
    void (*get_arena_allocator)(struct tm_cpython_arena_allocator *allocator); /* NULL in 2.7 */
    void (*set_arena_allocator)(const struct tm_cpython_arena_allocator *allocator);
    tm_cpython_ref_tracer *(*get_ref_tracer)(void **data); /* NULL before 3.13 */
    int (*set_ref_tracer)(tm_cpython_ref_tracer *tracer, void *data);

    struct tm_cpython_layout row; /* copy of the table's row with this process's types */
};

/* Finds the interpreter and fills PYTHON, which is all zero before the first call.  False: there is none (yet); cheap
 * when repeated while no library is loaded (one call of dl_iterate_phdr).  The first library that defines
 * Py_GetVersion, in the order of loading, is the interpreter, also one loaded with RTLD_LOCAL.
 * Not from signal handlers.  Allocates nothing. */
bool tm_cpython_find(struct tm_cpython *python);

/* Keeps the interpreter's library loaded for ever if it came by dlopen.  Allocates and takes the loader's locks: to be
 * called once, with the guard up, from a place that is certainly not inside the loader, such as the first call of a
 * hook of a CPython domain. */
void tm_cpython_pin(const struct tm_cpython *python);

/* A function or variable of the interpreter, or NULL; never a definition of the same name in our own library. */
void *tm_cpython_symbol(const struct tm_cpython *python, const char *name);

/* Checks the row against the frames that TSTATE, the calling thread's own state, has now: the types of what is read.
 * Reads through the kernel, so a wrong row does not crash.  True: decided; then layout is NULL if the row is wrong and
 * refusal says so.  False: no frame is there yet, ask again.  To be called until it decides, before the first walk;
 * further calls return at once.  Not thread-safe. */
bool tm_cpython_check_frames(struct tm_cpython *python, uintptr_t tstate);

/* The interpreter makes ten thousand blocks before its first frame: the words of TSTATE that the kernel has read once
 * are there. */
TM_INLINE bool tm_cpython_is_peeked(const struct tm_cpython *python, uintptr_t tstate)
{
    const struct tm_cpython_layout *row = &python->row;
    return tstate == python->peeked_tstate &&
           (row->chain != TM_CHAIN_CFRAME || tm_python_word(tstate, row->tstate_cframe) == python->peeked_holder);
}

/* True: TSTATE is the state that tm_cpython_check_frames found without a frame, and has none yet: no need to ask again.
 * For the holder of its GIL, because nothing orders this with a check of another thread's state. */
TM_INLINE bool tm_cpython_shows_no_frame(const struct tm_cpython *python, uintptr_t tstate)
{
    const struct tm_cpython_layout *row = &python->row;
    if (python->layout == NULL || !tm_cpython_is_peeked(python, tstate)) {
        return false;
    }
    const unsigned offset = row->chain == TM_CHAIN_CFRAME ? row->cframe_current : row->tstate_frame;
    return python->peeked_holder == 0 || tm_python_word(python->peeked_holder, offset) == 0;
}

/* The word at OFFSET bytes from the thread pointer. */
TM_INLINE uintptr_t tm_thread_local_word(intptr_t offset)
{
#if defined(__x86_64__)
    uintptr_t value;
    __asm__ volatile("movq %%fs:(%1), %0" : "=r"(value) : "r"(offset));
    return value;
#else
    return *(const volatile uintptr_t *)((const char *)__builtin_thread_pointer() + offset);
#endif
}

TM_INLINE uintptr_t tm_cpython_getter_read(const struct tm_cpython_getter *getter)
{
#if defined(__x86_64__)
    if (TM_LIKELY(getter->tls_offset != 0)) {
        return tm_thread_local_word(getter->tls_offset);
    }
#endif
    if (TM_LIKELY(getter->word != NULL)) {
        return __atomic_load_n(getter->word, __ATOMIC_RELAXED);
    }
    return getter->call != NULL ? getter->call() : 0;
}

/* The same for a getter whose place is known: no call. */
TM_INLINE uintptr_t tm_cpython_getter_peek(const struct tm_cpython_getter *getter)
{
    TM_ASSUME(getter->tls_offset != 0 || getter->word != NULL);
    return tm_cpython_getter_read(getter);
}

TM_INLINE bool tm_cpython_getter_is_place(const struct tm_cpython_getter *getter)
{
    return getter->tls_offset != 0 || getter->word != NULL;
}

/* Thread state of the calling thread, which holds the GIL (mem and obj hooks; free-threaded: is attached).  0 only
 * before the interpreter has its first. */
TM_INLINE uintptr_t tm_cpython_tstate_held(const struct tm_cpython *python)
{
    return tm_cpython_getter_read(&python->current);
}

/* Thread state of the calling thread, which may be any thread at any time, or 0: Python does not know it, or its state
 * may be gone (the interpreter finalizes and this thread does not hold the GIL).  2.7: 0 without the GIL.
 * *HOLDS_GIL tells whether the thread holds its GIL now (free-threaded: is attached). */
uintptr_t tm_cpython_tstate_own(const struct tm_cpython *python, bool *holds_gil);

/* True when the holder of TSTATE's GIL is alone among all threads: before 3.12 always (one GIL for all interpreters),
 * later when TSTATE belongs to the main interpreter, never in free-threaded builds. */
TM_INLINE bool tm_cpython_is_main(const struct tm_cpython *python, uintptr_t tstate)
{
    const struct tm_cpython_layout *row = &python->row;
    if (!row->tstate_current_is_own) {
        return row->release != 0;
    }
    return !row->free_threaded &&
           *(const uintptr_t *)(tstate + row->tstate_interp) == tm_cpython_getter_read(&python->main_interpreter);
}

bool tm_cpython_is_initialized(const struct tm_cpython *python);

TM_INLINE bool tm_cpython_is_finalizing(const struct tm_cpython *python)
{
    if (TM_LIKELY(python->finalizing_word != NULL)) {
        return __atomic_load_n(python->finalizing_word, __ATOMIC_RELAXED) != 0;
    }
    return python->is_finalizing != NULL && python->is_finalizing() != 0;
}

#endif
