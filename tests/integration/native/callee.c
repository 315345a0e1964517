/* SPDX-License-Identifier: MIT */
/* An extension module that allocates by every way of C and C++, from several depths, from a thread of its own, and
 * inside a callback to Python.  Every size is one that nothing else asks for. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))
/* Between a call and the return: the call is not the last act, so it is not made by a jump. */
#define STAY() __asm__ volatile("" ::: "memory")

__attribute__((visibility("hidden"))) void *make_new(size_t size);

static NOINLINE void *make_malloc(size_t size)
{
    void *block = malloc(size);
    STAY();
    return block;
}

static NOINLINE void *make_calloc(size_t size)
{
    void *block = calloc(1, size);
    STAY();
    return block;
}

static NOINLINE void *make_realloc(size_t size)
{
    void *block = realloc(NULL, size);
    STAY();
    return block;
}

static NOINLINE void *make_memalign(size_t size)
{
    void *block = NULL;
    int error = posix_memalign(&block, 64, size);
    STAY();
    return error == 0 ? block : NULL;
}

static NOINLINE void *make_strdup(size_t size)
{
    static char text[1 << 20];
    memset(text, 'x', size - 1);
    text[size - 1] = '\0';
    void *block = strdup(text);
    STAY();
    return block;
}

/* CFA by the frame pointer. */
static NOINLINE void *make_with_alloca(size_t size)
{
    volatile char *room = __builtin_alloca(size % 4096 + 16);
    room[0] = 1;
    void *block = make_malloc(size);
    room[1] = 1;
    return block;
}

static inline __attribute__((always_inline)) void *take_inlined(size_t size)
{
    void *block = malloc(size);
    STAY();
    return block;
}

static NOINLINE void *make_inlined(size_t size)
{
    void *block = take_inlined(size);
    STAY();
    return block;
}

static NOINLINE void *make_deep(size_t size, int depth)
{
    void *block = depth > 0 ? make_deep(size, depth - 1) : make_malloc(size);
    STAY();
    return block;
}

static void *run_thread(void *size)
{
    void *block = make_malloc(*(size_t *)size);
    STAY();
    return block;
}

static NOINLINE void *make_in_thread(size_t size)
{
    pthread_t thread;
    void *block = NULL;
    if (pthread_create(&thread, NULL, run_thread, &size) == 0) {
        pthread_join(thread, &block);
    }
    STAY();
    return block;
}

static NOINLINE void *make_without_gil(size_t size)
{
    void *block;
    Py_BEGIN_ALLOW_THREADS block = make_malloc(size);
    Py_END_ALLOW_THREADS return block;
}

/* Who calls this is on a way that is hardly ever taken: gcc puts such a way into a part of its own, far from the rest
 * of the function, and names that part NAME.cold. */
static NOINLINE __attribute__((cold)) void note_rare(void)
{
    STAY();
}

static NOINLINE void *make_rarely(size_t size)
{
    void *block = NULL;
    if (size > 1000) {
        note_rare();
        block = malloc(size); /* in the cold part */
        STAY();
    }
    return block;
}

/* Its neighbour among the cold parts. */
static NOINLINE void *make_rarely_inside(size_t size)
{
    void *block = NULL;
    if (size > 2000) {
        note_rare();
        block = make_rarely(size); /* in the cold part */
        STAY();
    }
    return block;
}

static NOINLINE void *make(const char *how, size_t size)
{
    void *block = NULL;
    if (strcmp(how, "malloc") == 0) {
        block = make_malloc(size);
    } else if (strcmp(how, "calloc") == 0) {
        block = make_calloc(size);
    } else if (strcmp(how, "realloc") == 0) {
        block = make_realloc(size);
    } else if (strcmp(how, "posix_memalign") == 0) {
        block = make_memalign(size);
    } else if (strcmp(how, "strdup") == 0) {
        block = make_strdup(size);
    } else if (strcmp(how, "new") == 0) {
        block = make_new(size);
    } else if (strcmp(how, "alloca") == 0) {
        block = make_with_alloca(size);
    } else if (strcmp(how, "inlined") == 0) {
        block = make_inlined(size);
    } else if (strcmp(how, "deep") == 0) {
        block = make_deep(size, 5);
    } else if (strcmp(how, "thread") == 0) {
        block = make_in_thread(size);
    } else if (strcmp(how, "nogil") == 0) {
        block = make_without_gil(size);
    } else if (strcmp(how, "rare") == 0) {
        block = make_rarely(size);
    } else if (strcmp(how, "rare, twice") == 0) {
        block = make_rarely_inside(size);
    }
    STAY();
    return block;
}

static PyObject *callee_make(PyObject *self, PyObject *arguments)
{
    const char *how;
    Py_ssize_t size;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "sn", &how, &size)) {
        return NULL;
    }
    if (make(how, (size_t)size) == NULL) {
        PyErr_SetString(PyExc_ValueError, how);
        return NULL;
    }
    Py_RETURN_NONE;
}

static NOINLINE PyObject *call_back(PyObject *function)
{
    PyObject *result = PyObject_CallObject(function, NULL);
    STAY();
    return result;
}

static PyObject *callee_call(PyObject *self, PyObject *function)
{
    PyObject *result = call_back(function);
    (void)self;
    STAY();
    return result;
}

static NOINLINE PyObject *call_back_rarely(PyObject *function)
{
    PyObject *result = NULL;
    if (function != Py_None) {
        note_rare();
        result = PyObject_CallObject(function, NULL); /* in the cold part */
        STAY();
    }
    return result;
}

static PyObject *callee_call_rarely(PyObject *self, PyObject *function)
{
    PyObject *result = call_back_rarely(function);
    (void)self;
    STAY();
    return result;
}

static PyMethodDef methods[] = {
    {"make", callee_make, METH_VARARGS, NULL},
    {"call", callee_call, METH_O, NULL},
    {"call_rarely", callee_call_rarely, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

#if PY_MAJOR_VERSION >= 3
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "callee", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_callee(void)
{
    return PyModule_Create(&module);
}
#else
PyMODINIT_FUNC initcallee(void)
{
    (void)Py_InitModule("callee", methods);
}
#endif
