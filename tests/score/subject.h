/* SPDX-License-Identifier: MIT */
/* The heap that is judged: the project's own, or one over docs/exercises/heap.h. */
#ifndef TESTS_SCORE_SUBJECT_H
#define TESTS_SCORE_SUBJECT_H

#include <stddef.h>
#include <stdint.h>

typedef void *subject_sbrk(intptr_t increment);

void subject_init(subject_sbrk *sbrk);
void *subject_malloc(size_t size);
void *subject_memalign(size_t align, size_t size);
void *subject_realloc(void *ptr, size_t size);
void subject_free(void *ptr);
size_t subject_usable_size(const void *ptr);

#endif
