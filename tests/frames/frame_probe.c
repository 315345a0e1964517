/* SPDX-License-Identifier: MIT */
/* A library that ctypes loads into an interpreter: says which frames the runtime's reader sees at the moment of the
 * call.  ctypes.PyDLL calls it with the GIL, ctypes.CDLL without. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/compiler.h"
#include "runtime/unwind/cpython_runtime.h"
#include "runtime/unwind/python_stack.h"

enum { FRAMES_MAX = 4096, NAME_MAX_BYTES = 4096 };

static struct tm_cpython python;
static _Thread_local struct tm_raw_frame frames[FRAMES_MAX];
static int exit_file = -1;

static const char *way(const struct tm_cpython_getter *getter)
{
    return getter->tls_offset != 0 ? "tls" : getter->word != NULL ? "word" : getter->call != NULL ? "call" : "none";
}

/* "release free_threaded current main refusal", by which means the two getters are read. */
TM_EXPORT const char *probe_describe(void);
const char *probe_describe(void)
{
    static char text[256];
    const bool found = python.version != 0 || tm_cpython_find(&python);
    snprintf(text, sizeof text, "%x %d %s %s %s", found ? python.version : 0, python.free_threaded,
             way(&python.current), way(&python.main_interpreter), python.refusal);
    return text;
}

static char *put_text(char *at, const char *end, uintptr_t text)
{
    char name[NAME_MAX_BYTES];
    size_t length = tm_python_text(python.layout, text, name, sizeof name);
    if (length > sizeof name || length > (size_t)(end - at)) {
        return at;
    }
    memcpy(at, name, length);
    return at + length;
}

static char *put_frame(char *at, const char *end, const struct tm_raw_frame *frame)
{
    struct tm_frame_names names;
    char line[16];
    size_t length;
    if (end - at < 3 * NAME_MAX_BYTES) {
        return at;
    }
    if (!tm_python_frame_names(python.layout, frame, &names)) {
        memcpy(at, "?\n", 2);
        return at + 2;
    }
    at = put_text(at, end, names.filename);
    length = (size_t)snprintf(line, sizeof line, "\1%u\1", (unsigned)names.line);
    memcpy(at, line, length);
    at = put_text(at + length, end, names.function);
    *at++ = '\n';
    return at;
}

/* Writes "file\1line\1function\n" of at most LIMIT frames to BUFFER, most recent first; returns the bytes written, or
 * -1: frames are refused.  With HELD the caller holds the GIL.  *FLAGS: 1 the GIL is held, 2 main interpreter, 4 top
 * and walk differ, 8 errno was changed. */
TM_EXPORT long probe_stack(char *buffer, long capacity, int limit, int held, int *flags);
long probe_stack(char *buffer, long capacity, int limit, int held, int *flags)
{
    const char *end = buffer + capacity;
    struct tm_raw_frame top;
    bool holds = false;
    uintptr_t tstate;
    unsigned count, top_count, i;
    char *at = buffer;
    errno = 4711;
    tstate = tm_cpython_tstate_own(&python, &holds);
    if (held) {
        tstate = tm_cpython_tstate_held(&python);
    }
    *flags = (holds ? 1 : 0) | (tstate != 0 && tm_cpython_is_main(&python, tstate) ? 2 : 0);
    if (!tm_cpython_check_frames(&python, tstate) || python.layout == NULL) {
        return tstate == 0 ? 0 : -1;
    }
    count = tm_python_stack_walk(python.layout, tstate, frames, limit < FRAMES_MAX ? (unsigned)limit : FRAMES_MAX);
    top_count = tm_python_stack_top(python.layout, tstate, &top);
    if (top_count != (count != 0) || (count != 0 && memcmp(&top, frames, sizeof top) != 0)) {
        *flags |= 4;
    }
    for (i = 0; i < count; i++) {
        at = put_frame(at, end, &frames[i]);
    }
    *flags |= errno != 4711 ? 8 : 0;
    return at - buffer;
}

static void *look_from_foreign_thread(void *data)
{
    bool holds = true;
    const uintptr_t tstate = tm_cpython_tstate_own(&python, &holds);
    *(int *)data = (tstate != 0 ? 1 : 0) | (holds ? 2 : 0);
    return NULL;
}

/* What a thread sees that Python does not know: 0 when it has neither state nor GIL. */
TM_EXPORT int probe_foreign(void);
int probe_foreign(void)
{
    pthread_t thread;
    int answer = 4;
    if (pthread_create(&thread, NULL, look_from_foreign_thread, &answer) == 0) {
        pthread_join(thread, NULL);
    }
    return answer;
}

/* Calls FUNCTION from C, COUNT times nested through qsort, as a C library would. */
TM_EXPORT int probe_callback(int (*function)(const void *, const void *));
int probe_callback(int (*function)(const void *, const void *))
{
    int numbers[2] = {2, 1};
    qsort(numbers, 2, sizeof numbers[0], function);
    return numbers[0];
}

/* OBJECT's block as the allocator knows it. */
TM_EXPORT uintptr_t probe_block(uintptr_t object);
uintptr_t probe_block(uintptr_t object)
{
    return python.layout != NULL ? tm_python_block_of(python.layout, object) : 0;
}

/* Nanoseconds per call of 0: tstate_held, 1: tstate_own, 2: held and top, 3: held and walk with LIMIT, 4: the getter's
 * function. */
TM_EXPORT double probe_time(int what, int limit, int rounds);
double probe_time(int what, int limit, int rounds)
{
    struct timespec begin, end;
    volatile uintptr_t sink = 0;
    bool holds;
    int i;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (i = 0; i < rounds; i++) {
        uintptr_t tstate = what == 1   ? tm_cpython_tstate_own(&python, &holds)
                           : what == 4 ? (python.current.call != NULL ? python.current.call() : 0)
                                       : tm_cpython_tstate_held(&python);
        if (what == 2) {
            sink += tm_python_stack_top(python.layout, tstate, frames);
        } else if (what == 3) {
            sink += tm_python_stack_walk(python.layout, tstate, frames, (unsigned)limit);
        }
        sink += tstate;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    (void)sink;
    return ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) / rounds;
}

static void *spin(void *data)
{
    const int milliseconds = *(const int *)data;
    struct timespec begin, now;
    bool holds;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        (void)tm_cpython_tstate_own(&python, &holds);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < milliseconds);
    return NULL;
}

/* COUNT threads that Python does not know ask for their state for MILLISECONDS, and outlive this call. */
TM_EXPORT void probe_spin(int count, int milliseconds);
void probe_spin(int count, int milliseconds)
{
    static int time_to_spin;
    pthread_t thread;
    time_to_spin = milliseconds;
    while (count-- > 0) {
        if (pthread_create(&thread, NULL, spin, &time_to_spin) == 0) {
            pthread_detach(thread);
        }
    }
}

/* From now on the end of the process is looked at too: its answer goes to the file PATH. */
TM_EXPORT void probe_watch_exit(const char *path);
void probe_watch_exit(const char *path)
{
    exit_file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

__attribute__((destructor)) static void look_at_exit(void)
{
    bool holds = true;
    uintptr_t tstate;
    char text[64];
    int length;
    if (exit_file < 0) {
        return;
    }
    tstate = tm_cpython_tstate_own(&python, &holds);
    length = snprintf(text, sizeof text, "%d %d %u\n", tm_cpython_is_initialized(&python), holds,
                      tm_python_stack_walk(python.layout, tstate, frames, FRAMES_MAX));
    (void)!write(exit_file, text, (size_t)length);
    close(exit_file);
}
