/* SPDX-License-Identifier: MIT */
/* What the compiler can be told.  gcc and clang; nothing here has a cost at run time. */
#ifndef TM_BASE_COMPILER_H
#define TM_BASE_COMPILER_H

#define TM_LIKELY(x)   __builtin_expect(!!(x), 1)
#define TM_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Hides what the compiler knows of A: it makes it anew, or loads it, where else it would keep it in a register. */
#define TM_OPAQUE(a) __asm__("" : "+r"(a))

/* Has pointer A in the register where a function's answer is, at this point: there and back it costs two moves. */
#if defined(__x86_64__)
#define TM_LIKE_ANSWER(a) __asm__("" : "+a"(a))
/* The same of A and B with the registers of a function's first two arguments. */
#define TM_LIKE_ARGUMENTS(a, b) __asm__("" : "+D"(a), "+S"(b))
#else
#define TM_LIKE_ANSWER(a)       ((void)0)
#define TM_LIKE_ARGUMENTS(a, b) ((void)0)
#endif

/* X holds, and the compiler may build on it. */
#define TM_ASSUME(x)                                                                                                   \
    do {                                                                                                               \
        if (!(x)) {                                                                                                    \
            __builtin_unreachable();                                                                                   \
        }                                                                                                              \
    } while (0)

/* The result must be looked at. */
#define TM_CHECKED __attribute__((warn_unused_result))
/* Out of line, away from the hot code. */
#define TM_COLD __attribute__((noinline, cold))
/* What one in many thousand events runs, which finds none of it in the cache: all in one place, in few pages. */
#define TM_SAMPLED_CODE __attribute__((noinline, section(".text.hot.sampled")))
/* Inlined even where the compiler would rather not: templates over constant arguments. */
#define TM_INLINE static inline __attribute__((always_inline))
/* Visible outside the shared library. */
#define TM_EXPORT __attribute__((visibility("default")))
/* Data of this library that other files of it use: without it each use would look up the address first. */
#define TM_HIDDEN __attribute__((visibility("hidden")))
/* Thread-local without a call: right for a library that ld.so loads at start, wrong for one loaded by dlopen. */
#define TM_THREAD_LOCAL          _Thread_local __attribute__((tls_model("initial-exec")))
#define TM_PRINTF(string, first) __attribute__((format(printf, string, first)))

/* In a loop that waits for another core. */
#if defined(__x86_64__) || defined(__i386__)
#define TM_PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define TM_PAUSE() __asm__ volatile("yield")
#else
#define TM_PAUSE() __asm__ volatile("" ::: "memory")
#endif

#define TM_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
