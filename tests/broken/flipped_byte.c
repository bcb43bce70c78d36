/* SPDX-License-Identifier: MIT */
/* Flips one bit in the block handed out last: what a replay must notice. */
#include <stddef.h>

void *__real_kmalloc(size_t size);
void *__wrap_kmalloc(size_t size);
void *__real_kzalloc(size_t size);
void *__wrap_kzalloc(size_t size);

static unsigned char *last;

void *__wrap_kmalloc(size_t size)
{
	last = __real_kmalloc(size);
	return last;
}

void *__wrap_kzalloc(size_t size)
{
	if (last)
		*last ^= 1;
	return __real_kzalloc(size);
}
