/* SPDX-License-Identifier: MIT */
/* The heap under measure, and what is kept of its calls. */
#include "tests/bench/bench.h"
#include "kernel/dev/console.h"
#include "kernel/mm/brk.h"
#include "kernel/mm/layout.h"
#include "kernel/x86/cpu.h"
#include "tests/kernel/ktest_select.h"

#include <printf.h>
#include <string.h>

/* Below the kernel, where nothing else is yet. */
#define BASE	     0x40000000U
#define LIMIT	     0x70000000U
#define TABLES_BASE  0x80000000U
#define TABLES_LIMIT 0x90000000U

#define SEED 0x2545F491U

#define PIC1_MASK 0x21
#define PIC2_MASK 0xA1

/* Instructions within calls that are not the heap's, and the number of those calls. */
struct bench_span {
	uint32_t sum, calls;
};

uint32_t bench_timed(bench_fn *fn, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t *result);
bench_fn bench_nothing, bench_nine;
heap_sbrk bench_sbrk, bench_move_break;

extern struct bench_span bench_in_hook, bench_in_copy;
struct bench_span bench_in_hook, bench_in_copy;

struct tally {
	uint64_t sum;
	uint32_t n, worst;
};

static struct heap heap;
static struct brk heap_brk, tables;
static uint8_t masks[2];
static uint32_t random_state;
static bool sound, scattered;

/* What is counted beside the callee, its own return not included; and beside a span's sum. */
static uint32_t beside_call, beside_hook, beside_copy;

static char scene[64];
static struct tally tallies[BENCH_KINDS];
static uint64_t copied;

/* Live bytes, as asked for and as blocks; their peaks; the highest end of a payload. */
static size_t live, peak_live, rounded, peak_rounded, extent;

static const char *const kind_names[BENCH_KINDS] = { "malloc", "free", "realloc", "memalign" };

void *bench_move_break(intptr_t increment)
{
	if (scattered && increment > 0)
		brk_move(&heap_brk, PAGE_SIZE);
	return brk_move(&heap_brk, increment);
}

void bench_scatter(void)
{
	scattered = true;
}

static void note_fault(struct heap *violated, const struct heap_fault *fault)
{
	(void)violated;
	sound = false;
	kprintf("# %s: %p: %s\n", scene, fault->block, heap_fault_name(fault->kind));
}

static uint32_t count_all(bench_fn *fn, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t *result)
{
	uintptr_t ignored;

	bench_in_hook = bench_in_copy = (struct bench_span){ 0, 0 };
	return bench_timed(fn, a, b, c, result ? result : &ignored) - beside_call;
}

static uint32_t of_span(const struct bench_span *span, uint32_t beside)
{
	return span->sum + span->calls * beside;
}

uint32_t bench_count(bench_fn *fn, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t *result)
{
	uint32_t all = count_all(fn, a, b, c, result);

	return all - of_span(&bench_in_hook, beside_hook) - of_span(&bench_in_copy, beside_copy);
}

/* The measuring, measured. */
static void calibrate(void)
{
	static char from[1], to[1];
	uint32_t all;

	beside_call = 0;
	beside_call = count_all(bench_nothing, 0, 0, 0, NULL) - 1;
	all = count_all((bench_fn *)bench_sbrk, 0, 0, 0, NULL);
	beside_hook = all - bench_in_hook.sum;
	all = count_all((bench_fn *)memcpy, (uintptr_t)to, (uintptr_t)from, 1, NULL);
	beside_copy = all - bench_in_copy.sum;
}

static void mask_interrupts(void)
{
	masks[0] = inb(PIC1_MASK);
	masks[1] = inb(PIC2_MASK);
	outb(PIC1_MASK, 0xFF);
	outb(PIC2_MASK, 0xFF);
}

void bench_open(void)
{
	mask_interrupts();
	sound = brk_init(&heap_brk, &kernel_space, BASE, LIMIT) == 0 &&
		brk_init(&tables, &kernel_space, TABLES_BASE, TABLES_LIMIT) == 0;
	calibrate();
	heap_init(&heap, bench_sbrk);
	bench_fresh();
}

void bench_abandon(void)
{
	struct heap_fault fault;

	if (!heap_check(&heap, &fault))
		note_fault(&heap, &fault);
	brk_set(&heap_brk, heap_brk.base);
	heap_init(&heap, bench_sbrk);
	heap_set_fault(&heap, note_fault);
	scattered = false;
	live = peak_live = rounded = peak_rounded = extent = 0;
}

bool bench_close(void)
{
	bench_abandon();
	brk_set(&tables, tables.base);
	outb(PIC1_MASK, masks[0]);
	outb(PIC2_MASK, masks[1]);
	return sound;
}

void bench_fresh(void)
{
	bench_abandon();
	random_state = SEED;
}

struct bench_block *bench_blocks(size_t n)
{
	void *memory = brk_move(&tables, (intptr_t)(n * sizeof(struct bench_block)));

	if (memory == BRK_FAILED) {
		sound = false;
		kprintf("# %s: no memory for a table of blocks\n", scene);
		memory = (void *)TABLES_BASE;
	}
	return memory;
}

uint32_t bench_random(void)
{
	return ktest_next_random(&random_state);
}

uint32_t bench_between(uint32_t low, uint32_t high)
{
	return low + bench_random() % (high - low + 1);
}

size_t bench_any_size(void)
{
	uint32_t least = 8U << bench_random() % 11;

	return bench_between(least, 2 * least);
}

void bench_scene(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(scene, sizeof(scene), fmt, args);
	va_end(args);
	memset(tallies, 0, sizeof(tallies));
	copied = 0;
}

/* What a request costs at least: a word for the header, rounded, and never below four words. */
static size_t block_for(size_t size)
{
	size_t block = (size + HEAP_WORD + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1);

	return block < HEAP_MIN_BLOCK ? HEAP_MIN_BLOCK : block;
}

static void count_live(const struct bench_block *block)
{
	size_t end = (uintptr_t)block->ptr + block->size - BASE;

	live += block->size;
	rounded += block_for(block->size);
	peak_live = live > peak_live ? live : peak_live;
	peak_rounded = rounded > peak_rounded ? rounded : peak_rounded;
	extent = end > extent ? end : extent;
}

static void count_dead(const struct bench_block *block)
{
	live -= block->size;
	rounded -= block_for(block->size);
}

static uintptr_t call(enum bench_kind kind, bench_fn *fn, uintptr_t b, uintptr_t c)
{
	struct tally *tally = &tallies[kind];
	uintptr_t result;
	uint32_t cost = bench_count(fn, (uintptr_t)&heap, b, c, &result);

	copied += of_span(&bench_in_copy, beside_copy);
	tally->sum += cost;
	tally->n++;
	tally->worst = cost > tally->worst ? cost : tally->worst;
	return result;
}

/* Nothing may be refused: then less would be measured than is said. */
static void receive(struct bench_block *block, uintptr_t result, size_t size)
{
	if (!result) {
		sound = false;
		kprintf("# %s: %zu bytes were refused\n", scene, size);
		return;
	}
	if (block->ptr)
		count_dead(block);
	*block = (struct bench_block){ (unsigned char *)result, size };
	count_live(block);
}

void bench_take(struct bench_block *block, size_t size)
{
	receive(block, call(BENCH_MALLOC, (bench_fn *)heap_malloc, size, 0), size);
}

void bench_take_aligned(struct bench_block *block, size_t align, size_t size)
{
	receive(block, call(BENCH_MEMALIGN, (bench_fn *)heap_memalign, align, size), size);
}

void bench_resize(struct bench_block *block, size_t size)
{
	receive(block, call(BENCH_REALLOC, (bench_fn *)heap_realloc, (uintptr_t)block->ptr, size),
		size);
}

void bench_give(struct bench_block *block)
{
	if (!block->ptr)
		return;
	call(BENCH_FREE, (bench_fn *)heap_free, (uintptr_t)block->ptr, 0);
	count_dead(block);
	block->ptr = NULL;
}

void bench_give_all(struct bench_block *blocks, size_t n)
{
	for (; n > 0; n--) {
		struct bench_block *block = &blocks[bench_random() % n];

		bench_give(block);
		*block = blocks[n - 1];
		blocks[n - 1].ptr = NULL;
	}
}

void bench_print(const char *what, uint64_t sum, uint32_t n, const char *unit)
{
	kprintf("# bench: %s: %s: %llu/%u %s\n", scene, what, (unsigned long long)sum, n, unit);
}

void bench_print_means(void)
{
	for (unsigned int kind = 0; kind < BENCH_KINDS; kind++)
		if (tallies[kind].n)
			bench_print(kind_names[kind], tallies[kind].sum, tallies[kind].n,
				    "instructions");
	if (tallies[BENCH_REALLOC].n)
		bench_print("copying", copied, tallies[BENCH_REALLOC].n, "instructions");
}

uint32_t bench_worst(enum bench_kind kind)
{
	return tallies[kind].worst;
}

void bench_print_worst(enum bench_kind kind, uint32_t worst)
{
	char what[32];

	snprintf(what, sizeof(what), "worst %s", kind_names[kind]);
	bench_print(what, worst, 1, "instructions");
}

void bench_print_worsts(void)
{
	for (unsigned int kind = 0; kind < BENCH_KINDS; kind++)
		if (tallies[kind].n)
			bench_print_worst(kind, tallies[kind].worst);
}

void bench_print_all(const char *what, unsigned int calls)
{
	uint64_t sum = 0;
	uint32_t n = 0;

	for (unsigned int kind = 0; kind < BENCH_KINDS; kind++) {
		sum += tallies[kind].sum;
		n += tallies[kind].n;
	}
	bench_print(what, sum, n / calls, "instructions");
}

void bench_print_use(void)
{
	bench_print("utilization", peak_live, extent, "percent");
	bench_print("bound", peak_live, peak_rounded, "percent");
}

/* Neither what is called to measure nor the hook nor the copying is counted, and nothing twice. */
BENCH(quick_counting_is_exact)
{
	CHECK_EQ(bench_count(bench_nothing, 0, 0, 0, NULL), 1);
	for (unsigned int i = 0; i < 3; i++) {
		CHECK_EQ(bench_count(bench_nine, 0, 0, 0, NULL), 9);
		CHECK(of_span(&bench_in_hook, beside_hook) > 1000);
		CHECK(of_span(&bench_in_copy, beside_copy) > 250);
	}
}
