/* SPDX-License-Identifier: MIT */
/* Control API of the preloaded library.
 *
 * For programs that run under LD_PRELOAD=libtracemalloc.so: from C by this header, from Python by
 * ctypes.CDLL(None).tracemalloc_... .  The functions are declared weak: a program compiled against this header links
 * and runs without the library; test `if (tracemalloc_start)` before the first call.
 *
 * The words and their meaning are those of Python's tracemalloc module (PEP 454).  "Traced memory" is what CPython's
 * raw, mem and obj domains gave out; blocks of plain malloc are recorded too and stand in snapshots as domain native.
 *
 * Threads  every function may be called by any thread, with or without the GIL.  What begins anew (start, stop,
 *          clear_traces, reset_peak) is exact for Python's threads when the caller holds the GIL (ctypes.PyDLL);
 *          otherwise the one event in which each other thread is just then may count on both sides, once.
 * Signals  none may be called from a signal handler.
 * Memory   nothing here calls malloc.
 * errno    kept; errors are return values. */
#ifndef TRACEMALLOC_TRACEMALLOC_H
#define TRACEMALLOC_TRACEMALLOC_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef TRACEMALLOC_API
#define TRACEMALLOC_API __attribute__((weak))
#endif

/* One frame of a traceback.  The texts belong to the library, are UTF-8 (a file name of other bytes: those bytes), end
 * in zero and stay valid until the process ends or forks. */
struct tracemalloc_frame {
    const char *filename; /* "<unknown>" where Python does not know */
    const char *function; /* qualified name from Python 3.11 on, before that the plain name; "" when not known */
    unsigned lineno;      /* from 1; 0 when not known */
};

/* Begins to trace with at most TRACEBACK_LIMIT frames (1 to 65535) per traceback.  Does nothing, not even change the
 * limit, when tracing is on already.  0; EINVAL: limit out of range; ENOMEM; ENOTSUP: the library was told not to trace
 * by a wrong option. */
TRACEMALLOC_API int tracemalloc_start(unsigned traceback_limit);

/* Ends tracing and forgets all traces.  Blocks that are live now are never counted again. */
TRACEMALLOC_API void tracemalloc_stop(void);

TRACEMALLOC_API bool tracemalloc_is_tracing(void);

/* Frames kept per traceback: of the tracing that is on, or was on last. */
TRACEMALLOC_API unsigned tracemalloc_get_traceback_limit(void);

/* Forgets all traces; tracing goes on.  Nothing happens when it is off. */
TRACEMALLOC_API void tracemalloc_clear_traces(void);

/* Bytes in the raw, mem and obj domains now, and at most since start, clear_traces or reset_peak.  0 and 0 when tracing
 * is off.  A pointer that is NULL is not asked for. */
TRACEMALLOC_API void tracemalloc_get_traced_memory(size_t *current, size_t *peak);

/* Sets the peak to what is traced now. */
TRACEMALLOC_API void tracemalloc_reset_peak(void);

/* Bytes of memory that the tracer itself holds: the store, the tables, and what was touched of the block table at
 * most. */
TRACEMALLOC_API size_t tracemalloc_get_tracemalloc_memory(void);

/* Writes a snapshot to PATH: under a temporary name beside it, synced, then renamed over what is there.  0; ENODATA:
 * not tracing; EINVAL: PATH is NULL; EISDIR: it is there and no regular file; otherwise the errno value of what failed.
 * PATH is as it was then. */
TRACEMALLOC_API int tracemalloc_take_snapshot(const char *path);

/* The same, and the snapshot lists every live traced block too: address, size and traceback, as the traces of the
 * stdlib's Snapshot (in `tm-report blocks`).  It takes about a thousand instructions and two bytes of file a block.
 * The program's other threads go on meanwhile: what they hand out or free just then may be listed or not, and the
 * snapshot says how many blocks that were. With TRACEMALLOC_BLOCKS=1 every snapshot is one of these. */
TRACEMALLOC_API int tracemalloc_take_snapshot_with_blocks(const char *path);

/* The traceback of the traced block in which ADDRESS lies (an object is not always the start of its block): fills
 * FRAMES, oldest first, with the most recent CAPACITY frames at most; *TOTAL is how many were recorded (0: allocated
 * where no Python code ran).  With TRACEMALLOC_NATIVE machine frames are among them: their filename is the program's or
 * library's, their line 0 and their function "", for names are looked up where a snapshot is read.  FRAMES and TOTAL
 * may be NULL.  0; ENODATA: not tracing; ENOENT: no traced block is there. */
TRACEMALLOC_API int tracemalloc_get_object_traceback(const void *address, struct tracemalloc_frame *frames,
                                                     unsigned capacity, unsigned *total);

/* The library's version, "MAJOR.MINOR.PATCH". */
TRACEMALLOC_API const char *tracemalloc_version(void);

#ifdef __cplusplus
}
#endif

#endif
