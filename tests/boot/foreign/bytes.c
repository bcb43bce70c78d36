/* SPDX-License-Identifier: MIT */
/* Writes what it reads, and then each byte there is. */
#include <stdio.h>

int main(void)
{
	int c;

	while ((c = getchar()) != EOF)
		putchar(c);
	for (c = 0; c < 256; c++)
		putchar(c);
	return 200;
}
