/* SPDX-License-Identifier: MIT */
/* Writes what it reads, and then each byte there is, and looks for a file that nobody has. */
#include <errno.h>
#include <stdio.h>

int main(void)
{
	FILE *nothing;
	int c;

	while ((c = getchar()) != EOF)
		putchar(c);
	for (c = 0; c < 256; c++)
		putchar(c);
	if (fclose(stdin) || fclose(stdout))
		return 1;
	nothing = fopen("/no/such/file", "r");
	if (nothing)
		fclose(nothing);
	return nothing || errno != ENOENT ? 2 : 200;
}
