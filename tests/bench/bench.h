/* SPDX-License-Identifier: MIT */
/*
 * Counting what the heap costs, in instructions.
 *
 *	BENCH(quick_pairs)
 *	{
 *		struct bench_block block;
 *
 *		bench_fresh();
 *		bench_scene("pair 16");
 *		bench_take(&block, 16);
 *		bench_give(&block);
 *		bench_print_means();
 *	}
 *
 * What is counted is the core of the heap alone: heap_malloc() and its kin, from
 * their first instruction to their return, on a heap with a break of its own.
 * The hook, and with it all mapping of pages, is taken off, and so is what a
 * reallocation copies; that is a figure by itself. No interrupt comes meanwhile.
 *
 * A figure is a line "# bench: SCENE: WHAT: A/B UNIT", divided on the host. Its
 * name stays what it is, since figures are compared from one version to another.
 * Names of tests that begin by bench_quick_ are part of make test, those by
 * bench_long_ of make bench only.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/mm/heap.h"
#include "tests/kernel/ktest.h"

/* A test that measures between opening and closing the heap. */
#define BENCH(name)                                                                                \
	static void measure_##name(void);                                                          \
	KTEST(bench_##name)                                                                        \
	{                                                                                          \
		bench_open();                                                                      \
		measure_##name();                                                                  \
		CHECK(bench_close());                                                              \
	}                                                                                          \
	static void measure_##name(void)

typedef void bench_fn(void);

/* A block of the heap, and how much was asked for; @ptr is NULL while there is none. */
struct bench_block {
	unsigned char *ptr;
	size_t size;
};

enum bench_kind { BENCH_MALLOC, BENCH_FREE, BENCH_REALLOC, BENCH_MEMALIGN, BENCH_KINDS };

/* Masks the timer and sets up an empty heap and its break. */
void bench_open(void);

/* Throws everything away. Return: whether the heap was sound to the end, and never refused. */
bool bench_close(void);

/* The empty heap again; and with it the same random numbers as ever. */
void bench_abandon(void);
void bench_fresh(void);

/* From now on, until the next empty heap, what the hook gives does not follow on what it gave. */
void bench_scatter(void);

/* @n empty blocks to keep track of, in memory of their own, until bench_close(). */
struct bench_block *bench_blocks(size_t n);

uint32_t bench_random(void);

/* A random number from @low to @high. */
uint32_t bench_between(uint32_t low, uint32_t high);

/* From 8 bytes to 16 KiB, each power of two as likely as any other. */
size_t bench_any_size(void);

/* Forgets what was counted; what follows has this name. */
void __attribute__((format(printf, 1, 2))) bench_scene(const char *fmt, ...);

/* Calls of the heap, counted. */
void bench_take(struct bench_block *block, size_t size);
void bench_take_aligned(struct bench_block *block, size_t align, size_t size);
void bench_resize(struct bench_block *block, size_t size);
void bench_give(struct bench_block *block);

/* Gives all of them in a random order. */
void bench_give_all(struct bench_block *blocks, size_t n);

/* Prints, of each kind of call since bench_scene(), what it took: on average, and at most. */
void bench_print_means(void);
void bench_print_worsts(void);
void bench_print_worst(enum bench_kind kind, uint32_t worst);

/* The most that one call of a kind has taken since bench_scene(). */
uint32_t bench_worst(enum bench_kind kind);

/* One figure for all calls since then, with @calls of them taken for one. */
void bench_print_all(const char *what, unsigned int calls);

/* The most payload that was live since bench_fresh(), by the extent, and what bounds that. */
void bench_print_use(void);

/* Any figure of the scene. */
void bench_print(const char *what, uint64_t sum, uint32_t n, const char *unit);

/**
 * bench_count() - instructions of one call of anything
 * @fn: cast to bench_fn
 * @result: receives what it returned; may be NULL
 *
 * From its first instruction to its return. What is copied by memcpy() is taken off.
 */
uint32_t bench_count(bench_fn *fn, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t *result);

#endif
