/* SPDX-License-Identifier: MIT */
/* A machine whose memory is full before the first page table: no frame is ever handed out. */
#include "kernel/mm/frame.h"

uint32_t __wrap_frame_alloc_below(unsigned int order, enum frame_owner owner, uint32_t limit);

uint32_t __wrap_frame_alloc_below(unsigned int order, enum frame_owner owner, uint32_t limit)
{
	(void)order;
	(void)owner;
	(void)limit;
	return FRAME_NONE;
}
