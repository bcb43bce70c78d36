/* SPDX-License-Identifier: MIT */
/* Memory that must not be touched, where the address sanitizer is there to see it. */
#ifndef TESTS_HOST_POISON_H
#define TESTS_HOST_POISON_H

/* gcc defines a macro, clang has a question. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON_HOST 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define POISON_HOST 1
#endif

#ifdef POISON_HOST
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(from, n)   ((void)(from), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(from, n) ((void)(from), (void)(n))
#endif

#endif
