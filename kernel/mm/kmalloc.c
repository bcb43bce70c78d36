/* SPDX-License-Identifier: MIT */
/*
 * The kernel's heap. One processor: with interrupts off nobody else is in it.
 */
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/brk.h"
#include "kernel/mm/layout.h"
#include "kernel/panic.h"
#include "kernel/x86/cpu.h"

#include <stdbool.h>
#include <string.h>

struct heap kernel_heap;

static struct kmalloc_stats stats;
static bool locked;

/* With interrupts off nobody else gets here, but for what no flag keeps out. */
static unsigned long lock(void)
{
	unsigned long flags = irq_save();

	if (locked)
		panic("kmalloc: entered again while a call is under way");
	locked = true;
	return flags;
}

static void unlock(unsigned long flags)
{
	locked = false;
	irq_restore(flags);
}

/* Counts the payload bytes of a block that the heap has just handed out for so many. */
static void count_granted(const void *ptr, size_t asked)
{
	size_t granted = (((const size_t *)ptr)[-1] & ~(HEAP_ALIGN - 1)) - HEAP_WORD;

	stats.asked_total += asked;
	stats.granted_total += granted;
	stats.granted += granted;
	if (stats.granted > stats.peak_granted)
		stats.peak_granted = stats.granted;
}

/* A product that does not fit in a size_t. */
static void *too_large(void)
{
	unsigned long flags = lock();

	stats.failures++;
	unlock(flags);
	return NULL;
}

static void *count_new(void *ptr, size_t asked)
{
	if (!ptr) {
		stats.failures++;
		return NULL;
	}
	stats.allocations++;
	count_granted(ptr, asked);
	return ptr;
}

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
	unsigned long flags = lock();
	void *ptr = count_new(heap_malloc(&kernel_heap, size), size);

	unlock(flags);
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

	return __builtin_mul_overflow(n, size, &bytes) ? too_large() : kmalloc(bytes);
}

void *kcalloc(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? too_large() : kzalloc(bytes);
}

void *kmemalign(size_t align, size_t size)
{
	unsigned long flags = lock();
	void *ptr = count_new(heap_memalign(&kernel_heap, align, size), size);

	unlock(flags);
	return ptr;
}

/* A block that is none has been reported by the time its size is known to be 0. */
static void *resize(void *ptr, size_t size)
{
	size_t before = heap_usable_size(&kernel_heap, ptr);
	void *moved = before > 0 ? heap_realloc(&kernel_heap, ptr, size) : NULL;

	if (!moved) {
		stats.failures++;
		return NULL;
	}
	stats.reallocations++;
	stats.granted -= before;
	count_granted(moved, size);
	return moved;
}

void *krealloc(void *ptr, size_t size)
{
	unsigned long flags;
	void *moved;

	if (!ptr)
		return kmalloc(size);
	flags = lock();
	moved = resize(ptr, size);
	unlock(flags);
	return moved;
}

void *krealloc_array(void *ptr, size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? too_large() : krealloc(ptr, bytes);
}

size_t ksize(const void *ptr)
{
	unsigned long flags = lock();
	size_t size = heap_usable_size(&kernel_heap, ptr);

	unlock(flags);
	return size;
}

void kfree(void *ptr)
{
	unsigned long flags;
	size_t size;

	if (!ptr)
		return;
	flags = lock();
	size = heap_free(&kernel_heap, ptr);
	if (size > 0) {
		stats.frees++;
		stats.granted -= size - HEAP_WORD;
	}
	unlock(flags);
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
	char *copy = s ? kmalloc(n + 1) : NULL;

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
	unsigned long flags = lock();
	size_t bytes = heap_trim(&kernel_heap, keep);

	unlock(flags);
	return bytes;
}

/* Not under the lock: a panic within a call wants them too. */
void kmalloc_stats(struct kmalloc_stats *to)
{
	unsigned long flags = irq_save();

	*to = stats;
	irq_restore(flags);
}

/* Both halved until a thousand times one fits in 32 bits: a division of 64 there is none for. */
unsigned int kmalloc_slack(const struct kmalloc_stats *of)
{
	uint64_t asked = of->asked_total, granted = of->granted_total;

	while (granted >> 22) {
		asked >>= 1;
		granted >>= 1;
	}
	return granted > 0 ? (uint32_t)(granted - asked) * 1000 / (uint32_t)granted : 0;
}
