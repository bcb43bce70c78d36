/* SPDX-License-Identifier: MIT */
/*
 * One measurement of one allocator under one workload; bench.pl preloads the
 * allocator and compares.
 *
 *	bench list			the names of the shapes
 *	bench WHOSE MODE WORKLOAD	a shape's, or the path of a trace
 *
 * WHOSE is "malloc"; or "core", this heap without malloc and without a system
 * call, from an array; or "nothing", calls that do nothing, to see what the
 * measurement itself takes. MODE is
 *
 *	about	what the workload needs at least
 *	time	nanoseconds an operation: the first time, and the least of more times
 *	fresh	the longest single operation, in children that each start alike
 *	warm	the same, when the workload has been run before
 *	space	pages resident at most, when every block is filled
 *	extent	from the lowest block to the highest end of one; of the core, from its base
 *	count	for callgrind, which counts what is in counted()
 *
 * An operation's time is the least of many runs that do the same: whatever
 * interrupts one of them is not in the others. What it takes the allocator and
 * the system for it, they take each time.
 */
#define _GNU_SOURCE
#include "workload.h"
#include "kernel/mm/heap.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define INLINE static inline __attribute__((always_inline))

#define LEAST_RUNS   5
#define TIMED_OPS    500000 /* that many in all runs, if LEAST_RUNS has fewer */
#define ALIKE_RUNS   15	    /* of which an operation's least time is taken */
#define WARMING_RUNS 3
#define SAMPLES	     512 /* of the resident pages in a run */
#define ARRAY_SIZE   ((size_t)512 << 20)

/* The allocator, or one that does nothing. Constant, so that calls of it are direct. */
struct allocator {
	void *(*malloc)(size_t size);
	void *(*calloc)(size_t count, size_t size);
	void *(*memalign)(size_t alignment, size_t size);
	void *(*realloc)(void *old, size_t size);
	void (*free)(void *ptr);
};

static const struct allocator preloaded = { malloc, calloc, memalign, realloc, free };

static char dummy[4096];

static __attribute__((noinline)) void *no_malloc(size_t size)
{
	__asm__ volatile("" : : "r"(size));
	return dummy;
}

static __attribute__((noinline)) void *no_calloc(size_t count, size_t size)
{
	__asm__ volatile("" : : "r"(count), "r"(size));
	return dummy;
}

static __attribute__((noinline)) void *no_realloc(void *old, size_t size)
{
	__asm__ volatile("" : : "r"(old), "r"(size));
	return dummy;
}

static __attribute__((noinline)) void no_free(void *ptr)
{
	__asm__ volatile("" : : "r"(ptr));
}

static const struct allocator nothing = { no_malloc, no_calloc, no_calloc, no_realloc, no_free };

static char *array, *array_end;
static struct heap heap;

static void *array_sbrk(intptr_t increment)
{
	if (increment > array + ARRAY_SIZE - array_end)
		return HEAP_SBRK_FAILED;
	array_end += increment;
	return array_end - increment;
}

static void *core_malloc(size_t size)
{
	return heap_malloc(&heap, size);
}

static void *core_calloc(size_t count, size_t size)
{
	void *ptr = heap_malloc(&heap, count * size);

	return ptr ? memset(ptr, 0, count * size) : NULL;
}

static void *core_memalign(size_t alignment, size_t size)
{
	return heap_memalign(&heap, alignment, size);
}

static void *core_realloc(void *old, size_t size)
{
	return heap_realloc(&heap, old, size);
}

static void core_free(void *ptr)
{
	heap_free(&heap, ptr);
}

static void core_start(void)
{
	array = array_end = mmap(NULL, ARRAY_SIZE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (array == MAP_FAILED)
		stop("mmap", strerror(errno));
	heap_init(&heap, array_sbrk);
}

static const struct allocator core = { core_malloc, core_calloc, core_memalign, core_realloc,
				       core_free };

static struct workload workload;
static char **blocks; /* of the slots in use; else NULL */

INLINE char *do_op(const struct allocator *a, const struct op *op, char *block)
{
	switch (op->kind) {
	case TRACE_ALLOC:
		return a->malloc(op->size);
	case TRACE_ZALLOC:
		return a->calloc(1, op->size);
	case TRACE_ALIGNED:
		return a->memalign((size_t)1 << op->align_shift, op->size);
	case TRACE_REALLOC:
		/* This heap's realloc() to 0 leaves a block, malloc's need not. */
		return a->realloc(block, op->size ? op->size : 1);
	default:
		a->free(block);
		return NULL;
	}
}

/* A program writes into what it gets; one byte is enough to have touched it. */
INLINE void touch(const struct op *op, char *block)
{
	if (op->kind == TRACE_FREE || op->size == 0)
		return;
	if (block)
		*(volatile char *)block = 1;
	else
		stop("bench", "memory ran out");
}

INLINE void run_ops(const struct allocator *a)
{
	const struct op *end = workload.ops + workload.n;

	for (const struct op *op = workload.ops; op < end; op++) {
		char *block = do_op(a, op, blocks[op->slot]);

		touch(op, block);
		blocks[op->slot] = block;
	}
}

enum whose { MALLOC, CORE, NOTHING };
static enum whose whose;

static void run(void)
{
	if (whose == CORE)
		run_ops(&core);
	else if (whose == NOTHING)
		run_ops(&nothing);
	else
		run_ops(&preloaded);
}

/* One operation, where what it takes to get there does not count. */
INLINE char *do_one(const struct op *op, char *block)
{
	if (whose == CORE)
		return do_op(&core, op, block);
	if (whose == NOTHING)
		return do_op(&nothing, op, block);
	return do_op(&preloaded, op, block);
}

static const struct op release = { .kind = TRACE_FREE };

static void free_rest(void)
{
	for (uint32_t i = 0; i < workload.slots; i++)
		if (blocks[i])
			blocks[i] = do_one(&release, blocks[i]);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Time */

static double timed_run(void)
{
	double start = now(), took;

	run();
	took = now() - start;
	free_rest();
	return took / (double)workload.n;
}

static void measure_time(void)
{
	double first = timed_run(), least = first;
	size_t runs = TIMED_OPS / workload.n;

	for (size_t i = 0; i < runs || i < LEAST_RUNS; i++) {
		double took = timed_run();

		least = took < least ? took : least;
	}
	printf("first %.3f\nleast %.3f\n", first, least);
}

/* Instructions */

__attribute__((noinline)) static void counted(void)
{
	run();
}

static void count(void)
{
	run();
	free_rest();
	counted();
}

/* The longest operation */

static uint32_t *least_ticks; /* of each operation, over all runs so far; shared with children */

INLINE uint64_t ticks(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

INLINE void run_ticking_of(const struct allocator *a)
{
	for (size_t i = 0; i < workload.n; i++) {
		const struct op *op = &workload.ops[i];
		char *block = blocks[op->slot];
		uint64_t start = ticks(), took;

		block = do_op(a, op, block);
		took = ticks() - start;
		if (took < least_ticks[i])
			least_ticks[i] = (uint32_t)took;
		touch(op, block);
		blocks[op->slot] = block;
	}
}

static void run_ticking(void)
{
	if (whose == CORE)
		run_ticking_of(&core);
	else
		run_ticking_of(&preloaded);
}

static void run_in_child(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		static const struct op first = { .kind = TRACE_ALLOC, .size = 64 };
		char *block = do_one(&first, NULL);

		/* Pages of the allocator's own are copied now, and not within an operation. */
		touch(&first, block);
		do_one(&release, block);
		run_ticking();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		stop("bench", "a child failed");
}

static double ticks_per_ns(void)
{
	double start = now(), end;
	uint64_t first = ticks();

	do
		end = now();
	while (end - start < 2e7);
	return (double)(ticks() - first) / (end - start);
}

static uint64_t ticks_of_nothing(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 1000; i++) {
		uint64_t start = ticks(), took = ticks() - start;

		least = took < least ? took : least;
	}
	return least;
}

/* Of those kinds alone whose time has no reason to grow with the size, and of all. */
static void print_longest(const char *name, unsigned int kinds)
{
	static const char *const names[] = { "malloc", "calloc", "memalign", "realloc", "free" };
	size_t longest = 0;
	double ns;

	for (size_t i = 1; i < workload.n; i++)
		if ((1U << workload.ops[i].kind & kinds) && least_ticks[i] > least_ticks[longest])
			longest = i;
	ns = (double)(least_ticks[longest] - ticks_of_nothing()) / ticks_per_ns();
	printf("%s %.0f\n%s_at %zu %s(%u)\n", name, ns, name, longest,
	       names[workload.ops[longest].kind], workload.ops[longest].size);
}

static void measure_longest(bool warm)
{
	size_t size = workload.n * sizeof(*least_ticks);

	least_ticks = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (least_ticks == MAP_FAILED)
		stop("mmap", strerror(errno));
	for (int i = 0; warm && i < WARMING_RUNS; i++)
		timed_run();
	memset(least_ticks, 0xFF, size);
	for (int i = 0; i < ALIKE_RUNS; i++) {
		if (warm) {
			run_ticking();
			free_rest();
		} else {
			run_in_child();
		}
	}
	print_longest("longest", 1U << TRACE_ALLOC | 1U << TRACE_ALIGNED | 1U << TRACE_FREE);
	print_longest("longest_any", ~0U);
}

/* Space */

/* Bytes of this process's pages that are no file's, counted by the system page by page. */
static size_t resident(void)
{
	static char text[8192];
	int fd = open("/proc/self/smaps_rollup", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	size_t kib;
	const char *line;

	close(fd);
	text[n > 0 ? n : 0] = 0;
	line = strstr(text, "\nAnonymous:");
	if (!line || sscanf(line, " Anonymous: %zu", &kib) != 1)
		stop("/proc/self/smaps_rollup", "says nothing");
	return kib * 1024;
}

static void measure_space(void)
{
	size_t every = workload.n / SAMPLES + 1, before, most;

	before = most = resident();
	for (size_t i = 0; i < workload.n; i++) {
		const struct op *op = &workload.ops[i];
		char *block = do_one(op, blocks[op->slot]);

		touch(op, block);
		if (op->kind != TRACE_FREE)
			memset(block, 0xA5, op->size);
		blocks[op->slot] = block;
		if (i % every == 0 || i == workload.peak_at) {
			size_t is = resident();

			most = is > most ? is : most;
		}
	}
	printf("resident %zu\n", most - before);
}

static void measure_extent(void)
{
	uintptr_t least = UINTPTR_MAX, most = 0;

	if (whose == CORE)
		least = (uintptr_t)array;
	for (size_t i = 0; i < workload.n; i++) {
		const struct op *op = &workload.ops[i];
		uintptr_t block = (uintptr_t)do_one(op, blocks[op->slot]);

		blocks[op->slot] = (char *)block;
		if (!block)
			continue;
		least = block < least ? block : least;
		most = block + op->size > most ? block + op->size : most;
	}
	printf("extent %zu\n", (size_t)(most - least));
}

/* Whose malloc this is, so that nobody is measured in another's name. */
static void print_library(void)
{
	void *(*function)(size_t) = malloc;
	void *address;
	Dl_info about;

	memcpy(&address, &function, sizeof(address));
	if (dladdr(address, &about))
		printf("library %s\n", about.dli_fname);
}

static void list(void)
{
	for (size_t i = 0; shape_name(i); i++)
		puts(shape_name(i));
}

static void choose(const char *name)
{
	if (strcmp(name, "core") == 0)
		whose = CORE;
	else if (strcmp(name, "nothing") == 0)
		whose = NOTHING;
	else if (strcmp(name, "malloc") != 0)
		stop(name, "no such allocator");
	if (whose == CORE)
		core_start();
}

static void measure(const char *mode)
{
	if (strcmp(mode, "time") == 0)
		measure_time();
	else if (strcmp(mode, "fresh") == 0)
		measure_longest(false);
	else if (strcmp(mode, "warm") == 0)
		measure_longest(true);
	else if (strcmp(mode, "space") == 0)
		measure_space();
	else if (strcmp(mode, "extent") == 0)
		measure_extent();
	else if (strcmp(mode, "count") == 0)
		count();
	else if (strcmp(mode, "about") != 0)
		stop(mode, "no such mode");
}

int main(int argc, char **argv)
{
	/* A line at a time, from an array: stdio is not to allocate in between. */
	static char line[BUFSIZ];

	setvbuf(stdout, line, _IOLBF, sizeof(line));
	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		list();
		return 0;
	}
	if (argc != 4)
		stop("usage", "bench malloc|core|nothing MODE WORKLOAD, or bench list");
	/* Pages are of one size for all, also where the system would make huge ones of them. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	workload_open(&workload, argv[3]);
	blocks = pages(workload.slots * sizeof(*blocks));
	choose(argv[1]);
	measure(argv[2]);
	print_library();
	printf("operations %zu\npeak_live %zu\npeak_rounded %zu\n", workload.n, workload.peak_live,
	       workload.peak_rounded);
	return 0;
}
