/* SPDX-License-Identifier: MIT */
/*
 * All the memory there is, and what then is still right.
 *
 *	exhaust sbrk|malloc [MiB]	takes no more than that, if there is more
 *
 * Where several do so at once, pages may run out before breaks do, and then one
 * of them is ended by the kernel.
 */
#include "tests/user/check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE  ((size_t)4096)
#define PIECE ((size_t)64 * 1024)

/* Each page of a piece begins with where it is. */
static void mark(void *piece)
{
	uintptr_t *words = piece;

	for (size_t at = 0; at < PIECE / sizeof(*words); at += PAGE / sizeof(*words))
		words[at] = (uintptr_t)&words[at];
}

static bool marked(const void *piece)
{
	const uintptr_t *words = piece;

	for (size_t at = 0; at < PIECE / sizeof(*words); at += PAGE / sizeof(*words))
		if (words[at] != (uintptr_t)&words[at])
			return false;
	return true;
}

static size_t take_all(size_t most)
{
	size_t taken = 0;
	char *piece;

	while (taken < most) {
		errno = 0;
		piece = sbrk(PIECE);
		if (piece == (void *)-1)
			break;
		mark(piece);
		taken += PIECE;
	}
	CHECK(taken == most || errno == ENOMEM);
	return taken;
}

static void by_sbrk(size_t most)
{
	size_t taken, wrong = 0, ragged = (uintptr_t)sbrk(0) % PAGE;
	char *start;

	sbrk((intptr_t)(PAGE - ragged));
	start = sbrk(0);
	taken = take_all(most);
	for (size_t at = 0; at < taken; at += PIECE)
		wrong += !marked(start + at);
	CHECK(taken > 0 && wrong == 0);
	CHECK(sbrk(0) == start + taken);
	CHECK(brk(start) == 0);
	CHECK(take_all(taken) == taken);
	dprintf(STDOUT_FILENO, "# %zu KiB\n", taken / 1024);
}

/* Blocks in a list through their first words. */
static void by_malloc(size_t most)
{
	char *list = NULL, *piece, *next;
	size_t taken = 0, wrong = 0;

	while (taken < most) {
		errno = 0;
		piece = malloc(PIECE);
		if (!piece)
			break;
		mark(piece);
		memcpy(piece + sizeof(list), &list, sizeof(list));
		list = piece;
		taken += PIECE;
	}
	CHECK(taken == most || errno == ENOMEM);
	for (piece = list; piece; piece = next) {
		wrong += !marked(piece);
		memcpy(&next, piece + sizeof(list), sizeof(next));
		free(piece);
	}
	CHECK(taken > 0 && wrong == 0);
	piece = malloc(taken / 2);
	CHECK(piece);
	free(piece);
	dprintf(STDOUT_FILENO, "# %zu KiB\n", taken / 1024);
}

int main(int argc, char **argv)
{
	size_t most = argc > 2 ? strtoul(argv[2], NULL, 10) << 20 : SIZE_MAX / PIECE * PIECE;

	check_plan();
	if (argc > 1 && strcmp(argv[1], "malloc") == 0)
		by_malloc(most);
	else
		by_sbrk(most);
	return check_result("all the memory there is");
}
