/* SPDX-License-Identifier: MIT */
/*
 * The heap as the malloc of any program of the host:
 *
 *	LD_PRELOAD=$PWD/build/preload/64/malloc.so sqlite3
 *
 * The hook is not sbrk(2) itself but one of the same meaning, over a stretch of
 * addresses that is reserved once and in which a break moves:
 *
 *	base                    end              limit
 *	 | in use by the heap    | no access      |
 *
 * Where the real break lies depends on how a program was linked and started: it
 * may have little room above it, at 32 bits above all, and who else moves it is
 * anybody's guess. Here there is room, and what lies beyond the break can be
 * neither read nor written, so that a heap that strays there is stopped at once.
 * Pages below the break are those of the system, and go back to it when the
 * break goes down.
 *
 * One lock is around all of it, and is not taken while there is one thread, as
 * in glibc. Nothing here calls what may allocate, nor dlsym(): it works from the
 * first call on, which comes from the dynamic linker before any constructor ran.
 *
 * Where this stops: calloc() clears what may be clear already, a large block is
 * one of the heap like any other, and all threads wait for one another.
 */
#define _GNU_SOURCE
#include "kernel/mm/heap.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>
#include <unistd.h>

#define PUBLIC	__attribute__((visibility("default")))
#define INLINE	static inline __attribute__((always_inline))
#define PAGE	((size_t)4096)
#define MOST	((size_t)1 << (HEAP_WORD == 8 ? 36 : 30))
#define LEAST	((size_t)1 << 24)
#define MAPPING (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

enum call { MALLOC, CALLOC, REALLOC, MEMALIGN, FREE, USABLE, CALLS };

static struct heap heap;
static size_t calls[CALLS];

/* The region: the break, the highest it was, and what is accessible. */
static uintptr_t base, end, highest, accessible, limit;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic pthread_t forker; /* holds the mutex across fork(), and may allocate */

static uintptr_t page_up(uintptr_t at)
{
	return (at + PAGE - 1) & ~(PAGE - 1);
}

static bool reserve(size_t size)
{
	void *start = mmap(NULL, size, PROT_NONE, MAPPING, -1, 0);

	if (start == MAP_FAILED)
		return false;
	base = end = highest = accessible = (uintptr_t)start;
	limit = base + size;
	return true;
}

/* Where addresses are limited (ulimit -v), half of what can be had is left to others. */
static void reserve_some(void)
{
	size_t size = MOST;

	while (size >= LEAST && !reserve(size))
		size /= 2;
	if (size < MOST && size > LEAST) {
		munmap((void *)(base + size / 2), size / 2);
		limit -= size / 2;
	}
}

static bool make_accessible(uintptr_t upto)
{
	if (upto > accessible) {
		if (mprotect((void *)accessible, upto - accessible, PROT_READ | PROT_WRITE))
			return false;
	} else if (upto < accessible) {
		/* A new mapping over the old one drops the pages and forbids access in one. */
		if (mmap((void *)upto, accessible - upto, PROT_NONE, MAPPING | MAP_FIXED, -1, 0) ==
		    MAP_FAILED)
			return false;
	}
	accessible = upto;
	return true;
}

static void *move_break(intptr_t increment)
{
	uintptr_t before = end;
	int saved = errno; /* free() leaves errno alone */

	if (increment < 0 ? (size_t)-increment > end - base : (size_t)increment > limit - end)
		return HEAP_SBRK_FAILED;
	if (!make_accessible(page_up(end + (uintptr_t)increment))) {
		errno = saved;
		return HEAP_SBRK_FAILED;
	}
	end += (uintptr_t)increment;
	if (end > highest)
		highest = end;
	return (void *)before;
}

static void say(int fd, const char *text, int length)
{
	while (length > 0) {
		ssize_t n = write(fd, text, (size_t)length);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			text += n;
			length -= (int)n;
		}
	}
}

static void fault(struct heap *of, const struct heap_fault *fault)
{
	char text[256];
	int n = snprintf(text, sizeof(text), "fencepost: %s: block %p: expected %#zx, found %#zx\n",
			 heap_fault_name(fault->kind), fault->block, fault->expected, fault->found);

	(void)of;
	say(STDERR_FILENO, text, n);
	abort();
}

__attribute__((cold, noinline)) static void start(void)
{
	reserve_some();
	heap_init(&heap, move_break);
	heap_set_fault(&heap, fault);
}

/* Return: whether the lock was taken. */
__attribute__((noinline)) static bool lock(void)
{
	if (atomic_load(&forker) == pthread_self())
		return false;
	pthread_mutex_lock(&mutex);
	return true;
}

/*
 * Inline, so that what there is to do without threads is some instructions. A
 * second thread can only come from the first, which is in here now; so what was
 * entered without the lock stays alone.
 */
INLINE bool enter(enum call call)
{
	bool locked = !__libc_single_threaded && lock();

	if (__builtin_expect(!base, 0))
		start();
	calls[call]++;
	return locked;
}

INLINE void leave(bool locked)
{
	if (__builtin_expect(locked, 0))
		pthread_mutex_unlock(&mutex);
}

/* The child of a fork() has one thread: no other may be half-way through a call just then. */
static void before_fork(void)
{
	pthread_mutex_lock(&mutex);
	atomic_store(&forker, pthread_self());
}

static void after_fork_in_parent(void)
{
	atomic_store(&forker, 0);
	pthread_mutex_unlock(&mutex);
}

static void after_fork_in_child(void)
{
	atomic_store(&forker, 0);
	mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

__attribute__((constructor)) static void watch_forks(void)
{
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* Tells whoever asked how much was used: a line for each program that ran. */
__attribute__((destructor)) static void count_calls(void)
{
	const char *path = getenv("FENCEPOST_COUNTS");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
	char text[512];

	if (fd < 0)
		return;
	say(fd, text,
	    snprintf(text, sizeof(text),
		     "%s malloc %zu calloc %zu realloc %zu memalign %zu free %zu highest %zu\n",
		     program_invocation_short_name, calls[MALLOC], calls[CALLOC], calls[REALLOC],
		     calls[MEMALIGN], calls[FREE], (size_t)(highest - base)));
	close(fd);
}

static void *or_errno(void *ptr)
{
	if (__builtin_expect(!ptr, 0))
		errno = ENOMEM;
	return ptr;
}

PUBLIC void *malloc(size_t size)
{
	bool locked = enter(MALLOC);
	void *ptr = heap_malloc(&heap, size);

	leave(locked);
	return or_errno(ptr);
}

PUBLIC void free(void *ptr)
{
	bool locked;

	if (!ptr)
		return;
	locked = enter(FREE);
	heap_free(&heap, ptr);
	leave(locked);
}

PUBLIC void *calloc(size_t count, size_t size)
{
	size_t bytes;
	bool locked;
	void *ptr;

	if (__builtin_mul_overflow(count, size, &bytes))
		return or_errno(NULL);
	locked = enter(CALLOC);
	ptr = heap_malloc(&heap, bytes);
	leave(locked);
	return ptr ? memset(ptr, 0, bytes) : or_errno(NULL);
}

/* A size of 0 frees, as in glibc: programs that ask for it expect no block to be left. */
PUBLIC void *realloc(void *old, size_t size)
{
	bool locked;
	void *ptr;

	if (old && size == 0) {
		free(old);
		return NULL;
	}
	locked = enter(REALLOC);
	ptr = heap_realloc(&heap, old, size);
	leave(locked);
	return or_errno(ptr);
}

PUBLIC void *reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return or_errno(NULL);
	return realloc(old, bytes);
}

static bool is_power_of_two(size_t n)
{
	return n && !(n & (n - 1));
}

PUBLIC void *memalign(size_t alignment, size_t size)
{
	bool locked;
	void *ptr;

	if (!is_power_of_two(alignment)) {
		errno = EINVAL;
		return NULL;
	}
	locked = enter(MEMALIGN);
	ptr = heap_memalign(&heap, alignment, size);
	leave(locked);
	return or_errno(ptr);
}

PUBLIC void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

PUBLIC int posix_memalign(void **result, size_t alignment, size_t size)
{
	int saved = errno;
	void *ptr;

	if (alignment % sizeof(void *) || !is_power_of_two(alignment))
		return EINVAL;
	ptr = memalign(alignment, size);
	errno = saved;
	if (!ptr)
		return ENOMEM;
	*result = ptr;
	return 0;
}

PUBLIC void *valloc(size_t size)
{
	return memalign(PAGE, size);
}

PUBLIC void *pvalloc(size_t size)
{
	return size > SIZE_MAX - PAGE ? or_errno(NULL) : memalign(PAGE, page_up(size));
}

PUBLIC size_t malloc_usable_size(void *ptr)
{
	size_t size;
	bool locked;

	if (!ptr)
		return 0;
	locked = enter(USABLE);
	size = heap_usable_size(&heap, ptr);
	leave(locked);
	return size;
}
