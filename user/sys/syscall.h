/* SPDX-License-Identifier: MIT */
/* The numbers of system calls, as Linux has them on i386. */
#ifndef USER_SYS_SYSCALL_H
#define USER_SYS_SYSCALL_H

#define SYS_exit	    1
#define SYS_read	    3
#define SYS_write	    4
#define SYS_open	    5
#define SYS_close	    6
#define SYS_lseek	    19
#define SYS_getpid	    20
#define SYS_kill	    37
#define SYS_brk		    45
#define SYS_ioctl	    54
#define SYS_munmap	    91
#define SYS_mprotect	    125
#define SYS__llseek	    140
#define SYS_readv	    145
#define SYS_writev	    146
#define SYS_mmap2	    192
#define SYS_fstat64	    197
#define SYS_gettid	    224
#define SYS_tkill	    238
#define SYS_set_thread_area 243
#define SYS_exit_group	    252
#define SYS_set_tid_address 258
#define SYS_clock_gettime   265
#define SYS_tgkill	    270
#define SYS_openat	    295
#define SYS_statx	    383

#endif
