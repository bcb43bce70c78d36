/* SPDX-License-Identifier: MIT */
/*
 * What a program may expect of malloc and its like, and three things that it may not do;
 * programs.t runs it with the heap preloaded.
 */
#define _GNU_SOURCE
#include "tests/host/tap.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALIGN	(2 * sizeof(void *))
#define THREADS 4
#define ROUNDS	20000
#define FORKS	50

/* Volatile, or the compiler would know better than to call. */
static void *volatile block, *volatile other;
static volatile size_t most = SIZE_MAX;

static bool aligned(const void *ptr, size_t to)
{
	return ptr && (uintptr_t)ptr % to == 0;
}

static void test_alignment(void)
{
	bool right = true;
	void *ptr = NULL;

	for (size_t size = 0; size < 300; size++)
		right &= aligned(malloc(size), ALIGN);
	tap_ok(right, "blocks are aligned for anything");
	right = true;
	for (size_t align = sizeof(void *); align <= 1 << 16; align *= 2) {
		right &= posix_memalign(&ptr, align, 100) == 0 && aligned(ptr, align);
		right &= aligned(memalign(align, 3), align);
		right &= aligned(aligned_alloc(align, align), align);
	}
	tap_ok(right, "and to more, where that is asked for");
	tap_ok(aligned(valloc(1), 4096) && aligned(pvalloc(1), 4096), "valloc() gives pages");
	block = pvalloc(1);
	tap_ok(malloc_usable_size(block) >= 4096, "pvalloc() whole ones");
}

static bool fails(void *ptr, int with)
{
	bool right = !ptr && errno == with;

	errno = 0;
	return right;
}

static void test_failures(void)
{
	void *ptr = &ptr;
	char *old = malloc(10);

	strcpy(old, "contents");
	errno = 0;
	tap_ok(fails(malloc(most), ENOMEM) && fails(malloc(most / 2 + 1), ENOMEM) &&
		       fails(calloc(most / 2, 4), ENOMEM) && fails(realloc(old, most), ENOMEM) &&
		       fails(reallocarray(old, most / 2, 4), ENOMEM) &&
		       fails(memalign(64, most), ENOMEM) && fails(pvalloc(most), ENOMEM),
	       "what is too large fails with ENOMEM");
	tap_ok(strcmp(old, "contents") == 0, "and leaves the old block");
	tap_ok(posix_memalign(&ptr, 24, 8) == EINVAL && posix_memalign(&ptr, 2, 8) == EINVAL &&
		       posix_memalign(&ptr, 64, most) == ENOMEM && ptr == &ptr && errno == 0,
	       "posix_memalign() says so itself");
	errno = EDOM;
	free(old);
	tap_ok(errno == EDOM, "free() leaves errno alone");
	errno = 0;
}

static void test_sizes(void)
{
	char *ptr;

	block = malloc(0);
	other = malloc(0);
	tap_ok(block && other && block != other, "malloc(0) gives a block of its own");
	tap_ok(malloc_usable_size(NULL) == 0, "NULL has no bytes");
	free(NULL);
	block = malloc(100);
	other = realloc(block, 0);
	tap_ok(!other && errno == 0, "realloc(p, 0) frees");
	block = realloc(NULL, 100);
	tap_ok(malloc_usable_size(block) >= 100, "realloc(NULL, n) allocates");
	ptr = malloc(5000);
	memset(ptr, 1, 5000);
	free(ptr);
	ptr = calloc(50, 100);
	tap_ok(!memchr(ptr, 1, 5000), "calloc() clears what was used before");
	free(ptr);
}

static long resident_pages(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages;
}

/* 64 MiB in blocks, given back in the order that lets the break follow. */
static void test_given_back(void)
{
	enum { BLOCKS = 1024, SIZE = 65536 };
	static void *blocks[BLOCKS];
	long before = resident_pages(), between;

	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(SIZE);
		memset(blocks[i], i, SIZE);
	}
	between = resident_pages();
	for (int i = BLOCKS; i-- > 0;)
		free(blocks[i]);
	tap_ok(between - before >= BLOCKS * SIZE / 4096, "memory in use is that of the system");
	tap_ok(resident_pages() - before < (between - before) / 10, "and goes back to it");
}

static _Atomic bool done;

static void *churn(void *arg)
{
	unsigned char *mine[32] = { NULL };
	uintptr_t mark = (uintptr_t)arg, wrong = 0;

	for (size_t i = 0; i < ROUNDS || !done; i++) {
		size_t n = i * 7 % 32, size = 1 + i % 700;

		wrong += mine[n] && *mine[n] != mark;
		if (i % 3 == 0) {
			free(mine[n]);
			mine[n] = malloc(size);
		} else {
			mine[n] = realloc(mine[n], size);
		}
		memset(mine[n], (int)mark, size);
	}
	for (size_t n = 0; n < 32; n++)
		free(mine[n]);
	return (void *)wrong;
}

/* A child that allocates, and one that does so before anything else had a chance to. */
static bool fork_once(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		for (size_t i = 0; i < 100; i++)
			free(malloc(1 + i * 50));
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void allocate(void)
{
	free(malloc(100));
}

static void test_threads(void)
{
	pthread_t ids[THREADS];
	void *wrong;
	bool right = true;

	/* Called before and after those of the heap, whichever came first. */
	pthread_atfork(allocate, allocate, allocate);
	block = NULL;
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&ids[i], NULL, churn, (void *)(i + 1));
	for (int i = 0; i < FORKS; i++)
		right &= fork_once();
	tap_ok(right, "children of a program with threads can allocate");
	done = true;
	for (int i = 0; i < THREADS; i++) {
		pthread_join(ids[i], &wrong);
		right &= !wrong;
	}
	tap_ok(right, "threads have blocks of their own");
}

static void double_free(void)
{
	block = malloc(100);
	other = malloc(100);
	free(block);
	/* cppcheck-suppress doubleFree */
	free(block);
}

static void overflow(void)
{
	unsigned char *first = malloc(100), *volatile second = malloc(100);

	/* Through the end of the first into the header of the second. */
	block = first;
	memset(block, 0xFF, (size_t)((uintptr_t)second - (uintptr_t)block));
	free(second);
}

static void foreign_pointer(void)
{
	static char array[200];

	block = array + ALIGN - (uintptr_t)array % ALIGN;
	free(block);
}

static void without_core(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	without_core();
	if (strcmp(what, "double-free") == 0)
		double_free();
	else if (strcmp(what, "overflow") == 0)
		overflow();
	else if (strcmp(what, "foreign") == 0)
		foreign_pointer();
	if (*what)
		return 0;
	test_alignment();
	test_failures();
	test_sizes();
	test_given_back();
	test_threads();
	return tap_end();
}
