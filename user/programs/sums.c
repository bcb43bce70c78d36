/* SPDX-License-Identifier: MIT */
/*
 * Sums that are long in the registers of all three kinds at once: integer, x87
 * and SSE. Whoever else uses these meanwhile must not be noticed: nothing that
 * was once in a sum is ever lost from it, and the way in which results are
 * rounded is the program's own.
 *
 *	sums [rounds [seed]]
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef uint32_t four_words __attribute__((vector_size(16)));
typedef double two_doubles __attribute__((vector_size(16)));

/* The code has to be for SSE; the rest of a program need not be. */
#define WITH_SSE __attribute__((noinline, target("sse2")))

struct sums {
	uint32_t integer;
	long double x87; /* as wide as its registers, so that it is the same wherever it is kept */
	four_words words;
	two_doubles doubles;
};

/* To the nearest, down, up or to zero. */
static void round_by(uint32_t way)
{
	uint16_t x87 = (uint16_t)(0x37F | way << 10);
	uint32_t sse = 0x1F80 | way << 13;

	__asm__ volatile("fldcw %0" : : "m"(x87));
	__asm__ volatile("ldmxcsr %0" : : "m"(sse));
}

WITH_SSE static void add_up(struct sums *sums, unsigned long rounds)
{
	uint32_t integer = sums->integer;
	long double x87 = sums->x87, third = 1.0L / 3;
	four_words words = sums->words;
	two_doubles doubles = sums->doubles, parts = { 1.0 / 3, 1.0 / 7 };

	for (unsigned long i = 0; i < rounds; i++) {
		integer = integer * 1664525 + 1013904223;
		x87 += third * (long double)(int32_t)integer;
		words = (words << 5 | words >> 27) + integer;
		doubles += parts;
	}
	*sums = (struct sums){ integer, x87, words, doubles };
}

/* All bits that count, without printing a fraction. */
static uint32_t bits_of(const void *value, size_t size)
{
	const unsigned char *bytes = value;
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (sum << 7 | sum >> 25) ^ bytes[i];
	return sum;
}

int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000000;
	uint32_t seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 1;
	struct sums sums = { seed, seed, { seed, 1, 2, 3 }, { seed, 1 } };

	round_by(seed & 3);
	add_up(&sums, rounds);
	printf("sums: %lu rounds, %08x, x87 %08x, sse %08x %08x\n", rounds,
	       (unsigned int)sums.integer, (unsigned int)bits_of(&sums.x87, 10),
	       (unsigned int)bits_of(&sums.words, sizeof(sums.words)),
	       (unsigned int)bits_of(&sums.doubles, sizeof(sums.doubles)));
	return EXIT_SUCCESS;
}
