/* SPDX-License-Identifier: MIT */
#include "tests/kernel/hoard.h"
#include "kernel/mm/frame.h"

#include <stddef.h>

#define MOST 4096

static struct {
	uint32_t first;
	unsigned int order;
} blocks[MOST];

static size_t n;

bool hoard_take(void)
{
	for (unsigned int order = FRAME_MAX_ORDER + 1; order-- > 0;) {
		uint32_t first;

		while (n < MOST && (first = frame_alloc(order, FRAME_OTHER))) {
			blocks[n].first = first;
			blocks[n++].order = order;
		}
	}
	return n < MOST && frame_count(FRAME_FREE) == 0;
}

bool hoard_touches(uint32_t first, uint32_t frames)
{
	for (size_t i = 0; i < n; i++)
		if (blocks[i].first < first + frames &&
		    first < blocks[i].first + (1U << blocks[i].order))
			return true;
	return false;
}

bool hoard_give(void)
{
	bool taken = true;

	while (n > 0) {
		n--;
		taken &= frame_free(blocks[n].first, blocks[n].order) == FRAME_FREED;
	}
	return taken;
}
