/* SPDX-License-Identifier: MIT */
/* A machine whose memory is full after the first few page tables. */
#include "kernel/mm/frame.h"

#define FEW 5

uint32_t __real_frame_alloc_below(unsigned int order, enum frame_owner owner, uint32_t limit);
uint32_t __wrap_frame_alloc_below(unsigned int order, enum frame_owner owner, uint32_t limit);

uint32_t __wrap_frame_alloc_below(unsigned int order, enum frame_owner owner, uint32_t limit)
{
	static unsigned int handed_out;

	if (handed_out == FEW)
		return FRAME_NONE;
	handed_out++;
	return __real_frame_alloc_below(order, owner, limit);
}
