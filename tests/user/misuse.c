/* SPDX-License-Identifier: MIT */
/*
 * What a program must not do with its heap, one at a time; without an argument,
 * what comes next to each and is allowed. Prints the address in question before.
 *
 *	misuse [twice|inside|foreign|header|overflow|underflow]
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Volatile, or a compiler would see through it. */
static char *volatile first, *volatile second, *volatile wrong;
static size_t elsewhere[8];

static void take_two(void)
{
	first = malloc(100);
	second = malloc(100);
	if (!first || !second)
		exit(EXIT_FAILURE);
	memset(first, 'x', 100);
	memset(second, 'y', 100);
}

static void do_wrong(const char *what)
{
	wrong = first;
	if (strcmp(what, "twice") == 0)
		free(first);
	else if (strcmp(what, "inside") == 0)
		wrong = first + 16;
	else if (strcmp(what, "foreign") == 0)
		wrong = (char *)(((uintptr_t)elsewhere + 8) & ~(uintptr_t)7);
	else if (strcmp(what, "header") == 0)
		*(size_t *)(uintptr_t)(first - sizeof(size_t)) ^= 0x1000;
	else if (strcmp(what, "underflow") == 0)
		memset(first - sizeof(size_t), 0xFF, sizeof(size_t));
	else if (strcmp(what, "overflow") == 0)
		memset(first, 0xFF, 100 + 2 * sizeof(size_t));
	if (strcmp(what, "overflow") == 0)
		wrong = second;
	printf("%p\n", (void *)wrong);
	free(wrong);
}

static void do_right(void)
{
	memset(first, 'z', 100);
	free(first);
	first = malloc(100);
	if (first && second[0] == 'y' && second[99] == 'y')
		puts("right");
	free(first);
	free(second);
	free(NULL);
}

int main(int argc, char **argv)
{
	take_two();
	if (argc > 1)
		do_wrong(argv[1]);
	else
		do_right();
	return EXIT_SUCCESS;
}
