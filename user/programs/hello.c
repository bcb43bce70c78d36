/* SPDX-License-Identifier: MIT */
/* What a program is given, and where its break is before malloc() and after. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char *before = sbrk(0), *block;

	printf("hello from process %d\n", (int)getpid());
	for (int i = 0; i < argc; i++)
		printf("argument %d  %s\n", i, argv[i]);
	printf("break       %p\n", (void *)before);
	block = malloc(100);
	if (!block) {
		puts("malloc gives nothing");
		return EXIT_FAILURE;
	}
	printf("malloc(100) %p\n", (void *)block);
	printf("break       %p, %td bytes up\n", sbrk(0), (char *)sbrk(0) - before);
	free(block);
	return EXIT_SUCCESS;
}
