/* SPDX-License-Identifier: MIT */
/* What a test cannot do under a sanitizer: limit its address space, or replace malloc. */
#ifndef TM_TESTS_SANITIZERS_H
#define TM_TESTS_SANITIZERS_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TM_UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TM_UNDER_SANITIZER 1
#endif
#endif
#ifndef TM_UNDER_SANITIZER
#define TM_UNDER_SANITIZER 0
#endif

#endif
