/* SPDX-License-Identifier: MIT */
/* A table of words and numbers that grows by realloc(), while words come, change and go. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEPS 600000U
#define NAMES 90000U

struct entry {
	char *name;
	uint32_t value;
};

static struct entry *entries;
static uint32_t n, room, *slots, nslots; /* slots hold numbers of entries, from 1 */

static void *must(void *ptr)
{
	if (!ptr)
		exit(2);
	return ptr;
}

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261U;

	while (*name)
		hash = (hash ^ (uint8_t)*name++) * 16777619U;
	return hash;
}

/* The slot of a name, or the free one where it would be. */
static uint32_t find(const char *name)
{
	uint32_t at = hash_of(name) & (nslots - 1);

	while (slots[at] && strcmp(entries[slots[at] - 1].name, name) != 0)
		at = (at + 1) & (nslots - 1);
	return at;
}

static void place_all(void)
{
	memset(slots, 0, nslots * sizeof(*slots));
	for (uint32_t i = 0; i < n; i++)
		slots[find(entries[i].name)] = i + 1;
}

static void grow(void)
{
	if (n == room) {
		room = room ? room * 3 / 2 : 8;
		entries = must(realloc(entries, room * sizeof(*entries)));
	}
	if (n * 2 >= nslots) {
		nslots = nslots ? nslots * 2 : 16;
		slots = must(realloc(slots, nslots * sizeof(*slots)));
		place_all();
	}
}

static void count(const char *name, uint32_t step)
{
	uint32_t at;

	grow();
	at = find(name);
	if (!slots[at]) {
		entries[n] = (struct entry){ must(strdup(name)), 0 };
		slots[at] = ++n;
	}
	entries[slots[at] - 1].value += step;
}

/* The last half goes; what stays is made as small as it can be. */
static void halve(void)
{
	while (n > room / 4)
		free(entries[--n].name);
	room = n + 1;
	entries = must(realloc(entries, room * sizeof(*entries)));
	place_all();
}

int main(void)
{
	uint32_t state = 88172645, sum = 0;
	char name[32];

	for (uint32_t step = 1; step <= STEPS; step++) {
		state = state * 1664525U + 1013904223U;
		snprintf(name, sizeof(name), "name %u of %u", (state >> 8) % NAMES, NAMES);
		count(name, step);
		if (step % (STEPS / 6) == 0) {
			printf("step %u: %u names, room for %u, %u slots\n", step, n, room, nslots);
			halve();
		}
	}
	for (uint32_t i = 0; i < n; i++)
		sum = sum * 31 + entries[i].value;
	printf("%u names left, sum %08x, first %s\n", n, sum, entries[0].name);
	return (int)(sum % 100);
}
