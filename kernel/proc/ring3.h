/* SPDX-License-Identifier: MIT */
/* What comes from ring 3: system calls, faults, and the end of a process's time. */
#ifndef KERNEL_PROC_RING3_H
#define KERNEL_PROC_RING3_H

/* Before the first process runs. */
void ring3_init(void);

#endif
