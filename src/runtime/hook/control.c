/* SPDX-License-Identifier: MIT */
/* The functions of tracemalloc.h. */
#include <errno.h>

#include "base/compiler.h"

#define TRACEMALLOC_API TM_EXPORT
#include "tracemalloc/tracemalloc.h"

#include "runtime/track/runtime.h"

int tracemalloc_start(unsigned traceback_limit)
{
    return tm_runtime_start(traceback_limit);
}

void tracemalloc_stop(void)
{
    tm_runtime_stop();
}

bool tracemalloc_is_tracing(void)
{
    return tm_runtime_is_tracing();
}

unsigned tracemalloc_get_traceback_limit(void)
{
    return tm_runtime_traceback_limit();
}

void tracemalloc_clear_traces(void)
{
    tm_runtime_clear();
}

void tracemalloc_get_traced_memory(size_t *current, size_t *peak)
{
    size_t unwanted;
    tm_runtime_traced_memory(current == NULL ? &unwanted : current, peak == NULL ? &unwanted : peak);
}

void tracemalloc_reset_peak(void)
{
    tm_runtime_reset_peak();
}

size_t tracemalloc_get_tracemalloc_memory(void)
{
    return tm_runtime_tracer_bytes();
}

int tracemalloc_take_snapshot(const char *path)
{
    return path == NULL ? EINVAL : tm_runtime_take_snapshot(path, false);
}

int tracemalloc_take_snapshot_with_blocks(const char *path)
{
    return path == NULL ? EINVAL : tm_runtime_take_snapshot(path, true);
}

int tracemalloc_get_object_traceback(const void *address, struct tracemalloc_frame *frames, unsigned capacity,
                                     unsigned *total)
{
    uint32_t traceback;
    unsigned recorded;
    int status = tm_runtime_traceback_of(address, &traceback, &recorded);
    if (total != NULL) {
        *total = recorded;
    }
    if (status != 0 || frames == NULL) {
        return status;
    }
    unsigned count = recorded < capacity ? recorded : capacity;
    while (count-- > 0) {
        struct tm_runtime_frame frame;
        traceback = tm_runtime_frame_of(traceback, &frame);
        frames[count] = (struct tracemalloc_frame){frame.filename, frame.function, frame.line};
    }
    return 0;
}

const char *tracemalloc_version(void)
{
    return TM_VERSION;
}
