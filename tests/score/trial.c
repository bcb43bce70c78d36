/* SPDX-License-Identifier: MIT */
/*
 * One check or one measurement of somebody's heap; score.pl makes them all.
 *
 *	trial list			the names of the checks
 *	trial check NAME		says nothing, or "wrong: " and what
 *	trial trace PATH		the same for a trace
 *	trial space WORKLOAD		how far up the heap's blocks reach
 *	trial time WORKLOAD		nanoseconds an operation, the least of some runs
 *	trial reuse|merge|return	whether the heap does that
 *
 * A check asks for blocks, fills them, and compares: each is aligned, large
 * enough, in memory that the hook gave, in nobody's way, and holds what was
 * written. If the heap crashes or does not come back, the last line says in
 * which operation.
 */
#include "subject.h"
#include "tests/host/arena.h"
#include "tests/peers/workload.h"

#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define ALIGN	 (2 * sizeof(size_t))
#define SLOTS	 32768
#define LARGEST	 300000
#define ROOM	 ((size_t)192 << 20)
#define UNITS	 (ROOM / ALIGN + 1)
#define MEASURED ((size_t)40 << 20) /* for measurements, all of it there */

/* A call that takes so many seconds of the processor's time does not come back. */
#define PATIENCE 6

struct slot {
	unsigned char *ptr;
	size_t size;
	unsigned long since; /* the operation that it is from */
	unsigned char seed;
};

static struct slot slots[SLOTS];
static uint32_t state;

static uint32_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* What is said of it */

static struct {
	unsigned long number;
	char text[120];
} operation;

static uintptr_t offset(const void *ptr)
{
	return (uintptr_t)ptr - arena_base();
}

static void __attribute__((format(printf, 1, 2))) begin(const char *format, ...)
{
	va_list arguments;

	operation.number++;
	va_start(arguments, format);
	vsnprintf(operation.text, sizeof(operation.text), format, arguments);
	va_end(arguments);
}

static void __attribute__((noreturn, format(printf, 1, 2))) wrong(const char *format, ...)
{
	va_list arguments;

	printf("wrong: operation %lu, %s: ", operation.number, operation.text);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

static void last_words(void)
{
	char text[sizeof(operation.text) + 40];
	int n = snprintf(text, sizeof(text), "in: operation %lu, %s\n", operation.number,
			 operation.text);

	if (write(STDOUT_FILENO, text, (size_t)n) < 0)
		_exit(2);
}

static void on_signal(int number)
{
	last_words();
	signal(number, SIG_DFL);
	raise(number);
}

/* The processor's time is up: has the heap been in the same operation since the last time? */
static void on_alarm(int number)
{
	static unsigned long last = ULONG_MAX;

	(void)number;
	if (operation.number == last) {
		last_words();
		_exit(3);
	}
	last = operation.number;
}

#ifdef SANITIZED
void __sanitizer_set_death_callback(void (*callback)(void));
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
	return "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:detect_leaks=0";
}

const char *__ubsan_default_options(void)
{
	return "abort_on_error=1";
}
#endif

static void watch(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	static char stack[65536];
	const stack_t other = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
	const struct itimerval half = { { PATIENCE / 2, 0 }, { PATIENCE / 2, 0 } };

	sigaltstack(&other, NULL);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++)
		sigaction(fatal[i], &action, NULL);
	action.sa_handler = on_alarm;
	sigaction(SIGVTALRM, &action, NULL);
	setitimer(ITIMER_VIRTUAL, &half, NULL);
#ifdef SANITIZED
	__sanitizer_set_death_callback(last_words);
#endif
}

/* The memory that there is, in units of ALIGN bytes, and whose it is */

enum owner { NOBODYS, THE_HEAPS, A_BLOCKS };
static unsigned char owners[UNITS];
static unsigned long refusals; /* by the hook */

static void give(const void *start, size_t n, enum owner from, enum owner to)
{
	size_t first = offset(start) / ALIGN, end = (offset(start) + n + ALIGN - 1) / ALIGN;

	for (size_t i = first; i < end; i++)
		if (owners[i] == from)
			owners[i] = to;
}

static void *hook(intptr_t increment)
{
	char *before = arena_sbrk(increment);

	if (before == (char *)-1)
		refusals++;
	else if (increment > 0)
		give(before, (size_t)increment, NOBODYS, THE_HEAPS);
	else
		give(before + increment, (size_t)-increment, THE_HEAPS, NOBODYS);
	return before;
}

static void start(enum arena_company company, size_t room, size_t skew)
{
	arena_reset(company, room, skew, 1);
	memset(owners, NOBODYS, sizeof(owners));
	memset(slots, 0, sizeof(slots));
	refusals = 0;
	operation.number = 0;
	subject_init(hook);
}

/* What blocks hold, each from another place on. */
static unsigned char pattern[LARGEST + UCHAR_MAX];

static void draw_pattern(void)
{
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (unsigned char)next_random();
}

static void must_be_intact(const struct slot *slot, size_t n)
{
	const unsigned char *should = pattern + slot->seed;

	if (memcmp(slot->ptr, should, n) == 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (slot->ptr[i] != should[i])
			wrong("byte %zu of the block of %zu bytes from operation %lu is 0x%02x, "
			      "and was 0x%02x",
			      i, slot->size, slot->since, slot->ptr[i], should[i]);
}

static const struct slot *holder_of(const unsigned char *ptr, size_t size)
{
	for (struct slot *slot = slots; slot < slots + SLOTS; slot++)
		if (slot->ptr && slot->ptr < ptr + (size ? size : 1) &&
		    ptr < slot->ptr + (slot->size ? slot->size : 1))
			return slot;
	return NULL;
}

static size_t units(size_t size)
{
	return size ? (size + ALIGN - 1) / ALIGN : 1;
}

/* A block that the heap has just handed out: nobody else's, and in memory that there is. */
static void adopt(struct slot *slot, unsigned char *ptr, size_t size, size_t align)
{
	size_t first = offset(ptr) / ALIGN;

	if ((uintptr_t)ptr % align != 0)
		wrong("gave an address that is no multiple of %zu: ...%03zx", align,
		      (size_t)((uintptr_t)ptr & 0xFFF));
	if ((uintptr_t)ptr < arena_base() || offset(ptr) > ROOM || size > ROOM - offset(ptr))
		wrong("gave an address that is not in the memory from heap_sbrk");
	for (size_t i = 0; i < units(size); i++) {
		const struct slot *other;

		if (owners[first + i] == THE_HEAPS)
			continue;
		if (owners[first + i] == NOBODYS && size == 0)
			continue; /* at the very end, before the header of the next */
		if (owners[first + i] == NOBODYS)
			wrong("gave base + 0x%zx, and byte %zu of that lies where heap_sbrk gave "
			      "nothing",
			      (size_t)offset(ptr), i * ALIGN);
		other = holder_of(ptr, size);
		wrong("gave base + 0x%zx, but the block of %zu bytes from operation %lu is at "
		      "base + 0x%zx",
		      (size_t)offset(ptr), other ? other->size : 0, other ? other->since : 0,
		      other ? (size_t)offset(other->ptr) : 0);
	}
	memset(owners + first, A_BLOCKS, units(size));
	if (subject_usable_size(ptr) < size)
		wrong("heap_usable_size() of the block is %zu", subject_usable_size(ptr));
	*slot = (struct slot){ ptr, size, operation.number, (unsigned char)next_random() };
	memcpy(ptr, pattern + slot->seed, size);
}

static void disown(struct slot *slot)
{
	memset(owners + offset(slot->ptr) / ALIGN, THE_HEAPS, units(slot->size));
	slot->ptr = NULL;
}

/* NULL is right only if the hook had nothing more to give. */
static void must_be_refused(unsigned long refusals_before)
{
	if (refusals == refusals_before)
		wrong("gave NULL, and heap_sbrk had refused nothing");
}

static bool allocate(struct slot *slot, size_t size)
{
	unsigned long before = refusals;
	void *ptr;

	begin("malloc(%zu)", size);
	ptr = subject_malloc(size);
	if (ptr)
		adopt(slot, ptr, size, ALIGN);
	else
		must_be_refused(before);
	return ptr;
}

static bool allocate_aligned(struct slot *slot, size_t align, size_t size)
{
	unsigned long before = refusals;
	void *ptr;

	begin("memalign(%zu, %zu)", align, size);
	ptr = subject_memalign(align, size);
	if (ptr)
		adopt(slot, ptr, size, align < ALIGN ? ALIGN : align);
	else
		must_be_refused(before);
	return ptr;
}

static bool resize(struct slot *slot, size_t size)
{
	size_t kept = size < slot->size ? size : slot->size;
	unsigned long before = refusals;
	struct slot old = *slot;
	unsigned char *ptr;

	begin("realloc of a block of %zu bytes to %zu", old.size, size);
	ptr = subject_realloc(old.ptr, size);
	if (!ptr) {
		must_be_refused(before);
		must_be_intact(&old, old.size);
		return false;
	}
	disown(slot);
	/* What it holds now is looked at before it is filled anew. */
	if ((uintptr_t)ptr % ALIGN == 0 && (uintptr_t)ptr >= arena_base() && offset(ptr) < ROOM) {
		struct slot now = old;

		now.ptr = ptr;
		must_be_intact(&now, kept);
	}
	adopt(slot, ptr, size, ALIGN);
	return true;
}

static void release(struct slot *slot)
{
	begin("free of a block of %zu bytes", slot->size);
	must_be_intact(slot, slot->size);
	subject_free(slot->ptr);
	disown(slot);
}

static void release_all(void)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (slots[i].ptr)
			release(&slots[i]);
}

/* The checks */

static void check_small(void)
{
	start(ARENA_ALONE, ROOM, 0);
	for (size_t size = 0; size <= 1024; size++)
		allocate(&slots[size], size);
	for (size_t size = 0; size <= 1024; size += 2)
		release(&slots[size]);
	for (size_t size = 0; size <= 1024; size += 2)
		allocate(&slots[size], 1024 - size);
	release_all();
}

static void check_nothing(void)
{
	start(ARENA_ALONE, ROOM, 0);
	begin("free(NULL)");
	subject_free(NULL);
	begin("realloc(NULL, 100)");
	slots[0].ptr = subject_realloc(NULL, 100);
	if (!slots[0].ptr)
		wrong("gave NULL; it means malloc(100)");
	adopt(&slots[0], slots[0].ptr, 100, ALIGN);
	allocate(&slots[1], 0);
	allocate(&slots[2], 0);
	resize(&slots[1], 50);
	resize(&slots[0], 0);
	release_all();
}

static void must_be_null(void *ptr)
{
	if (ptr)
		wrong("gave base + 0x%zx, and should have given NULL", (size_t)offset(ptr));
}

static void check_impossible(void)
{
	static const size_t sizes[] = { SIZE_MAX,	    SIZE_MAX - 1,    SIZE_MAX - 7,
					SIZE_MAX - 8,	    SIZE_MAX - 15,   SIZE_MAX - 16,
					SIZE_MAX - 64,	    SIZE_MAX - 4096, SIZE_MAX / 2 + 2,
					SIZE_MAX / 2 + 1,   SIZE_MAX / 2,    SIZE_MAX / 2 - 16,
					SIZE_MAX / 2 - 4096 };
	static const size_t aligns[] = { 0, 3, 24, 48, 4095, SIZE_MAX };

	start(ARENA_ALONE, ROOM, 0);
	allocate(&slots[0], 100);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		begin("malloc(%zu)", sizes[i]);
		must_be_null(subject_malloc(sizes[i]));
		begin("realloc of a block of 100 bytes to %zu", sizes[i]);
		must_be_null(subject_realloc(slots[0].ptr, sizes[i]));
		must_be_intact(&slots[0], 100);
		begin("memalign(64, %zu)", sizes[i]);
		must_be_null(subject_memalign(64, sizes[i]));
	}
	for (size_t i = 0; i < sizeof(aligns) / sizeof(*aligns); i++) {
		begin("memalign(%zu, 10), which is no power of two", aligns[i]);
		must_be_null(subject_memalign(aligns[i], 10));
	}
	begin("memalign(%zu, 10)", SIZE_MAX / 2 + 1);
	must_be_null(subject_memalign(SIZE_MAX / 2 + 1, 10));
	allocate(&slots[1], 100);
	release_all();
}

static void check_aligned(void)
{
	start(ARENA_ALONE, ROOM, 8);
	for (size_t i = 0; i < 400; i++) {
		allocate_aligned(&slots[i], (size_t)1 << i % 17, next_random() % 300);
		if (i % 3 == 2)
			release(&slots[i - 1]);
	}
	release_all();
}

/* So many blocks until there is no more; what is then asked for must not harm those. */
static void check_refusals(void)
{
	size_t n = 0;

	start(ARENA_ALONE, 300000, 0);
	while (n < SLOTS && allocate(&slots[n], 40 + n % 500))
		n++;
	for (size_t i = 0; i < n; i += 7)
		resize(&slots[i], 100000);
	release_all();
	allocate(&slots[0], 200000);
	release_all();
}

/* Sequences: @code names the choice of each step; every 31st is tried. */
#define DEPTH 5

static const size_t few[] = { 1, 24, 40, 1000, 9000 };
#define FEW (sizeof(few) / sizeof(*few))

static size_t take_choice(size_t *code, size_t among)
{
	size_t choice = *code % among;

	*code /= among;
	return choice;
}

static void run_sequence(size_t code, size_t room)
{
	arena_reset(ARENA_ALONE, room, 0, 1);
	memset(owners, NOBODYS, room / ALIGN + 1);
	operation.number = 0;
	subject_init(hook);
	for (int step = 0; step < DEPTH; step++) {
		size_t what = take_choice(&code, 3), size = few[take_choice(&code, FEW)];
		struct slot *slot = &slots[what];

		if (!slot->ptr)
			allocate(slot, size);
		else if (size == few[0])
			release(slot);
		else
			resize(slot, size);
	}
	for (int i = 0; i < 3; i++)
		if (slots[i].ptr)
			release(&slots[i]);
}

static void check_sequences(void)
{
	static const size_t rooms[] = { 0, 4096, 16384, 131072 };

	start(ARENA_ALONE, ROOM, 0);
	for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms); i++) {
		size_t all = 1;

		for (int step = 0; step < DEPTH; step++)
			all *= 3 * FEW;
		for (size_t code = 0; code < all;
		     code += 31) /* prime to 15: no choice is left out */
			run_sequence(code, rooms[i]);
	}
}

/* Mostly small, sometimes large, and now and then just around a power of two. */
static size_t random_size(void)
{
	uint32_t bits = next_random() % 100;

	if (bits < 70)
		return next_random() % 200;
	if (bits < 95)
		return next_random() % 4096;
	if (bits < 99)
		return (1UL << (3 + next_random() % 13)) + next_random() % 17 - 8;
	return next_random() % 100000;
}

static void random_step(void)
{
	struct slot *slot = &slots[next_random() % 512];
	uint32_t what = next_random() % 16;

	if (!slot->ptr && what < 13)
		allocate(slot, random_size());
	else if (!slot->ptr)
		allocate_aligned(slot, (size_t)1 << next_random() % 14, random_size());
	else if (what < 5)
		resize(slot, random_size());
	else
		release(slot);
}

static void random_life(enum arena_company company, size_t skew)
{
	start(company, ROOM, skew);
	for (int i = 0; i < 60000; i++)
		random_step();
	release_all();
}

static void check_random(void)
{
	random_life(ARENA_ALONE, 0);
	random_life(ARENA_ALONE, 8);
	random_life(ARENA_ALONE, 4001);
}

static void check_foreign(void)
{
	random_life(ARENA_FOREIGN, 0);
}

static void check_scattered(void)
{
	random_life(ARENA_SCATTERED, 0);
}

static void check_poor(void)
{
	random_life(ARENA_POOR, 0);
}

static const struct {
	const char *name;
	void (*run)(void);
} checks[] = {
	{ "small blocks", check_small },
	{ "NULL and blocks of no bytes", check_nothing },
	{ "impossible requests", check_impossible },
	{ "aligned blocks", check_aligned },
	{ "memory that runs out", check_refusals },
	{ "short sequences", check_sequences },
	{ "random operations", check_random },
	{ "others move the break", check_foreign },
	{ "memory in several pieces", check_scattered },
	{ "growth refused now and then", check_poor },
};

#define CHECKS (sizeof(checks) / sizeof(*checks))

static void check(const char *name)
{
	for (size_t i = 0; i < CHECKS; i++) {
		if (strcmp(checks[i].name, name) == 0) {
			checks[i].run();
			return;
		}
	}
	stop(name, "no such check");
}

static void check_trace(const char *path)
{
	static struct workload workload;

	workload_open(&workload, path);
	if (workload.slots > SLOTS)
		stop(path, "has too many slots");
	start(ARENA_ALONE, ROOM, 0);
	for (size_t i = 0; i < workload.n; i++) {
		const struct op *op = &workload.ops[i];
		struct slot *slot = &slots[op->slot];

		if (op->kind == TRACE_FREE)
			release(slot);
		else if (op->kind == TRACE_REALLOC)
			resize(slot, op->size);
		else if (op->kind == TRACE_ALIGNED)
			allocate_aligned(slot, (size_t)1 << op->align_shift, op->size);
		else
			allocate(slot, op->size);
		if (op->kind != TRACE_FREE && !slot->ptr)
			wrong("%zu bytes of memory were not enough", ROOM);
	}
	release_all();
}

/* What it does with what it has been given back */

static size_t blocks_of(size_t size)
{
	size_t n = 0;

	while (n < SLOTS && allocate(&slots[n], size))
		n++;
	return n;
}

static void tell(bool yes)
{
	puts(yes ? "yes" : "no");
}

/* About as many blocks as there is room for, freed, can be had again. */
static void try_reuse(void)
{
	size_t n;

	start(ARENA_ALONE, 1 << 20, 0);
	n = blocks_of(100);
	release_all();
	tell(n > 0 && blocks_of(100) >= n - n / 10);
}

/* In the place of many small blocks, freed, there is room for a large one. */
static void try_merge(void)
{
	start(ARENA_ALONE, 1 << 20, 0);
	blocks_of(100);
	release_all();
	tell(allocate(&slots[0], 250000));
}

/* When all is freed, most of the memory has gone back, if not at once. */
static void try_return(void)
{
	uintptr_t most;

	start(ARENA_ALONE, 1 << 20, 0);
	blocks_of(5000);
	most = (uintptr_t)arena_sbrk(0);
	release_all();
	for (int i = 0; i < 10; i++) {
		allocate(&slots[0], 5000);
		release_all();
	}
	tell((uintptr_t)arena_sbrk(0) - arena_base() < (most - arena_base()) / 4);
}

/* Measuring: memory that is there already, so that nothing but the heap takes time */

static struct workload workload;
static char **blocks;
static char *room, *room_end;

static void *plain_hook(intptr_t increment)
{
	char *before = room_end;

	if (increment > (intptr_t)MEASURED - (before - room) || increment < room - before)
		return (void *)-1;
	room_end += increment;
	return before;
}

static char *do_op(const struct op *op, char *block)
{
	switch (op->kind) {
	case TRACE_FREE:
		subject_free(block);
		return NULL;
	case TRACE_REALLOC:
		return subject_realloc(block, op->size);
	case TRACE_ALIGNED:
		return subject_memalign((size_t)1 << op->align_shift, op->size);
	default:
		return subject_malloc(op->size);
	}
}

static void set_up(const char *name)
{
	workload_open(&workload, name);
	blocks = pages(workload.slots * sizeof(*blocks));
	room = pages(MEASURED);
}

static void begin_run(void)
{
	room_end = room;
	memset(blocks, 0, workload.slots * sizeof(*blocks));
	subject_init(plain_hook);
}

static void measure_space(const char *name)
{
	size_t extent = 0;

	set_up(name);
	begin_run();
	for (size_t i = 0; i < workload.n; i++) {
		const struct op *op = &workload.ops[i];
		char *block = do_op(op, blocks[op->slot]);

		operation.number++;
		blocks[op->slot] = block;
		if (op->kind != TRACE_FREE && !block)
			stop(name, "memory ran out");
		if (block && (size_t)(block - room) + op->size > extent)
			extent = (size_t)(block - room) + op->size;
	}
	printf("extent %zu\npeak_live %zu\npeak_rounded %zu\n", extent, workload.peak_live,
	       workload.peak_rounded);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double timed_run(void)
{
	double began;

	begin_run();
	began = now();
	for (size_t i = 0; i < workload.n; i++) {
		const struct op *op = &workload.ops[i];

		blocks[op->slot] = do_op(op, blocks[op->slot]);
		operation.number++;
	}
	return (now() - began) / (double)workload.n;
}

/* The first runs warm up; one that takes long is not repeated. */
static void measure_time(const char *name)
{
	double least, total;

	set_up(name);
	least = total = timed_run();
	for (int i = 0; i < 5 && total * (double)workload.n < 1e9; i++) {
		double took = timed_run();

		total += took;
		least = took < least ? took : least;
	}
	printf("time %.3f\n", least);
}

static const struct {
	const char *name;
	void (*with)(const char *argument);
	void (*without)(void);
} modes[] = {
	{ "check", check, NULL },	  { "trace", check_trace, NULL },
	{ "space", measure_space, NULL }, { "time", measure_time, NULL },
	{ "reuse", NULL, try_reuse },	  { "merge", NULL, try_merge },
	{ "return", NULL, try_return },
};

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (strcmp(mode, "list") == 0) {
		for (size_t i = 0; i < CHECKS; i++)
			puts(checks[i].name);
		return 0;
	}
	state = 2463534242;
	draw_pattern();
	watch();
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (strcmp(mode, modes[i].name) != 0 || argc != (modes[i].with ? 3 : 2))
			continue;
		if (modes[i].with)
			modes[i].with(argv[2]);
		else
			modes[i].without();
		return 0;
	}
	stop("usage",
	     "trial list, check NAME, trace PATH, space NAME, time NAME, reuse, merge or return");
}
