/* SPDX-License-Identifier: MIT */
/*
 * Memory of every kind, and then a wait: for who looks at a process from outside.
 * What it says of itself must be seen there (tests/boot/processes.t). Reads to the
 * end of its input, which it adds up for its status.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE	 4096U
#define MAPPED	 (8 * PAGE)
#define TOUCHED	 3U
#define READABLE (2 * PAGE)

static void fail(const char *what)
{
	printf("failed: %s\n", what);
	exit(100);
}

int main(void)
{
	char *small = malloc(100), *freed = malloc(5000), *last = malloc(30000);
	char *mapped =
		mmap(NULL, MAPPED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char c;
	int sum = 0;

	if (!small || !freed || !last || mapped == MAP_FAILED)
		fail("there is no memory");
	free(freed);
	for (unsigned int i = 0; i < TOUCHED; i++)
		mapped[i * PAGE] = 1;
	if (mprotect(mapped, READABLE, PROT_READ))
		fail("it cannot be protected");
	printf("small %p\nfreed %p\nlast %p\nmapped %p\nbreak %p\n", (void *)small, (void *)freed,
	       (void *)last, (void *)mapped, sbrk(0));
	while (read(STDIN_FILENO, &c, 1) == 1)
		sum += c;
	return sum % 100;
}
