/* SPDX-License-Identifier: MIT */
/* What a test cannot do under a sanitizer: limit its address space, replace malloc, or be alone (ThreadSanitizer has a
 * thread of its own). */
#ifndef TM_TESTS_SANITIZERS_H
#define TM_TESTS_SANITIZERS_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TM_UNDER_ADDRESS_SANITIZER 1
#endif
#if __has_feature(thread_sanitizer)
#define TM_UNDER_THREAD_SANITIZER 1
#endif
#endif
#if !defined(TM_UNDER_ADDRESS_SANITIZER) && defined(__SANITIZE_ADDRESS__)
#define TM_UNDER_ADDRESS_SANITIZER 1
#endif
#if !defined(TM_UNDER_THREAD_SANITIZER) && defined(__SANITIZE_THREAD__)
#define TM_UNDER_THREAD_SANITIZER 1
#endif

#ifndef TM_UNDER_ADDRESS_SANITIZER
#define TM_UNDER_ADDRESS_SANITIZER 0
#endif
#ifndef TM_UNDER_THREAD_SANITIZER
#define TM_UNDER_THREAD_SANITIZER 0
#endif
#define TM_UNDER_SANITIZER (TM_UNDER_ADDRESS_SANITIZER || TM_UNDER_THREAD_SANITIZER)

#endif
