/* SPDX-License-Identifier: MIT */
/* A heap over an array: this file, heap.c, heap.h, and nothing else. */
#include "kernel/mm/heap.h"

#include <stdio.h>

static char memory[1 << 20], *end = memory;

static void *more(intptr_t bytes)
{
	if (bytes > memory + sizeof(memory) - end || bytes < memory - end)
		return HEAP_SBRK_FAILED;
	end += bytes;
	return end - bytes;
}

int main(void)
{
	static struct heap heap;
	char *text;

	heap_init(&heap, more);
	text = heap_malloc(&heap, 100);
	snprintf(text, 100, "ok 1 - a heap over an array");
	puts(text);
	heap_free(&heap, text);
	heap_trim(&heap, 0);
	puts(end == memory ? "ok 2 - gives it back" : "not ok 2 - gives it back");
	puts("1..2");
	return end != memory;
}
