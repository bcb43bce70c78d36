/* SPDX-License-Identifier: MIT */
/* A system call with all registers as one likes, and all of them seen afterwards. */
#ifndef TESTS_USER_RAW_CALL_H
#define TESTS_USER_RAW_CALL_H

#include <stdint.h>

/* What a program may set of the processor's flags, and what a kernel must not rely on. */
#define FLAG_DIRECTION 0x400U
#define FLAG_NESTED    0x4000U
#define FLAG_ID	       0x200000U
#define FLAGS	       (FLAG_DIRECTION | FLAG_NESTED | FLAG_ID)

/* The registers before the call and after it; raw_call.S knows the order. */
struct raw_call {
	uint32_t eax, ebx, ecx, edx, esi, edi, ebp;
	uint32_t esp;	  /* 0 is the stack as it is */
	uint32_t flags;	  /* set before; after, those of FLAGS that are set */
	uint32_t segment; /* into es, fs and gs; after, what is in es */
};

void raw_call(struct raw_call *call);

#endif
