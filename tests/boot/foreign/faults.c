/* SPDX-License-Identifier: MIT */
/* Does what its argument says, of what a program must not do, after a line. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int deep(int n)
{
	volatile char room[4096];

	room[0] = (char)n;
	return n == 0 ? room[0] : deep(n - 1) + room[0];
}

static int none(void)
{
	return 0;
}

static int null(void)
{
	static volatile int *volatile nowhere;

	*nowhere = 1;
	return 1;
}

static int kernel(void)
{
	static volatile int *volatile there = (volatile int *)0xC0100000;

	return *there;
}

static int text(void)
{
	*(volatile char *)(uintptr_t)null = 1;
	return 1;
}

static int stack(void)
{
	return deep(1000000);
}

static int enough_stack(void)
{
	return deep(1500) != 0 ? 5 : 6;
}

static int divide(void)
{
	static volatile int number;

	return 7 / number;
}

static int invalid(void)
{
	__asm__ volatile("ud2");
	return 1;
}

static int privileged(void)
{
	__asm__ volatile("cli");
	return 1;
}

static int breakpoint(void)
{
	__asm__ volatile("int3");
	return 1;
}

static int give_up(void)
{
	abort();
}

static const struct {
	const char *name;
	int (*run)(void);
} ways[] = {
	{ "none", none },
	{ "null", null },
	{ "kernel", kernel },
	{ "text", text },
	{ "stack", stack },
	{ "divide", divide },
	{ "invalid", invalid },
	{ "enough-stack", enough_stack },
	{ "privileged", privileged },
	{ "breakpoint", breakpoint },
	{ "abort", give_up },
};

int main(int argc, char **argv)
{
	printf("it begins\n");
	fflush(stdout);
	for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(*ways); i++)
		if (strcmp(argv[1], ways[i].name) == 0)
			return ways[i].run();
	return 3;
}
