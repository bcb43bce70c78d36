/* SPDX-License-Identifier: MIT */
/* Has 100 MiB, and uses a page at either end. */
#include <stdio.h>

#define SIZE (100UL << 20)

static volatile char room[SIZE];

int main(void)
{
	room[0] = 1;
	room[SIZE - 1] = 2;
	printf("%d %d %d\n", room[0], room[SIZE / 2], room[SIZE - 1]);
	return 0;
}
