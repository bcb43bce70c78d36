/* SPDX-License-Identifier: MIT */
/* Answers each line when it comes. */
#include <stdio.h>
#include <string.h>

int main(void)
{
	char line[100];

	printf("what?\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		printf("%zu letters\n", strcspn(line, "\n"));
		fflush(stdout);
	}
	printf("bye\n");
	return 0;
}
