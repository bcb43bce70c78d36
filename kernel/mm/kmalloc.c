/* SPDX-License-Identifier: MIT */
/*
 * The kernel's heap. One processor: with interrupts off nobody else is in it.
 */
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/brk.h"
#include "kernel/mm/layout.h"
#include "kernel/panic.h"
#include "kernel/x86/cpu.h"

#include <string.h>

struct heap kernel_heap;

static void __attribute__((noreturn))
heap_violated(struct heap *heap, const struct heap_fault *fault)
{
	(void)heap;
	panic_at(fault->block, "heap: pointer 0x%08lx: %s (0x%08lx, 0x%08lx)",
		 (unsigned long)(uintptr_t)fault->block + sizeof(size_t),
		 heap_fault_name(fault->kind), (unsigned long)fault->expected,
		 (unsigned long)fault->found);
}

void kmalloc_init(void)
{
	kassert(brk_init(&kernel_brk, &kernel_space, HEAP_BASE, HEAP_LIMIT) == 0);
	heap_init(&kernel_heap, ksbrk);
	heap_set_fault(&kernel_heap, heap_violated);
}

void *kmalloc(size_t size)
{
	unsigned long flags = irq_save();
	void *ptr = heap_malloc(&kernel_heap, size);

	irq_restore(flags);
	return ptr;
}

void *kzalloc(size_t size)
{
	void *ptr = kmalloc(size);

	return ptr ? memset(ptr, 0, size) : NULL;
}

void *kmalloc_array(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : kmalloc(bytes);
}

void *kcalloc(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : kzalloc(bytes);
}

void *kmemalign(size_t align, size_t size)
{
	unsigned long flags = irq_save();
	void *ptr = heap_memalign(&kernel_heap, align, size);

	irq_restore(flags);
	return ptr;
}

void *krealloc(void *ptr, size_t size)
{
	unsigned long flags = irq_save();
	void *moved = heap_realloc(&kernel_heap, ptr, size);

	irq_restore(flags);
	return moved;
}

void *krealloc_array(void *ptr, size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : krealloc(ptr, bytes);
}

size_t ksize(const void *ptr)
{
	unsigned long flags = irq_save();
	size_t size = heap_usable_size(&kernel_heap, ptr);

	irq_restore(flags);
	return size;
}

void kfree(void *ptr)
{
	unsigned long flags = irq_save();

	heap_free(&kernel_heap, ptr);
	irq_restore(flags);
}

void kfree_sensitive(void *ptr)
{
	if (!ptr)
		return;
	memset(ptr, 0, ksize(ptr));
	__asm__ volatile("" : : "r"(ptr) : "memory"); /* these stores are meant */
	kfree(ptr);
}

void *kmemdup(const void *from, size_t size)
{
	void *copy = kmalloc(size);

	return copy ? memcpy(copy, from, size) : NULL;
}

char *kstrndup(const char *s, size_t max)
{
	size_t n = s ? strnlen(s, max) : 0;
	char *copy = s && n < SIZE_MAX ? kmalloc(n + 1) : NULL;

	if (!copy)
		return NULL;
	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *kstrdup(const char *s)
{
	return kstrndup(s, SIZE_MAX);
}

size_t kheap_trim(size_t keep)
{
	unsigned long flags = irq_save();
	size_t bytes = heap_trim(&kernel_heap, keep);

	irq_restore(flags);
	return bytes;
}
