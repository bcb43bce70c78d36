/* SPDX-License-Identifier: MIT */
/*
 * The ways a program ends by itself:
 *
 *	ends return|exit|_exit STATUS
 *	ends abort
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	int status = argc > 2 ? atoi(argv[2]) : 0;

	/* In one piece: not all libraries write what is not a line when _exit() is called. */
	dprintf(STDOUT_FILENO, "%s", how);
	if (strcmp(how, "exit") == 0)
		exit(status);
	if (strcmp(how, "_exit") == 0)
		_exit(status);
	if (strcmp(how, "abort") == 0)
		abort();
	return status;
}
