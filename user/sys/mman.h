/* SPDX-License-Identifier: MIT */
/* Memory beside the heap, by pages. What fails gives -1 or MAP_FAILED, with errno. */
#ifndef USER_SYS_MMAN_H
#define USER_SYS_MMAN_H

#include <sys/types.h>

#define PROT_NONE  0
#define PROT_READ  1
#define PROT_WRITE 2
#define PROT_EXEC  4

#define MAP_SHARED    0x01
#define MAP_PRIVATE   0x02
#define MAP_FIXED     0x10
#define MAP_ANONYMOUS 0x20

#define MAP_FAILED ((void *)-1)

/**
 * mmap() - map pages
 * @at: where, if there is room; with MAP_FIXED just there, in place of what is there
 * @length: bytes, rounded up to whole pages; not 0
 * @flags: MAP_PRIVATE | MAP_ANONYMOUS is zeroed memory of one's own
 * @fd: -1, for memory that is no file's
 * @offset: a multiple of 4096
 *
 * Return: a page's address; MAP_FAILED with errno, EINVAL for what makes no
 * sense and ENOMEM where there is no room.
 */
void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset);

/* Whatever is mapped in these pages is mapped no more. @at must be a page's address. */
int munmap(void *at, size_t length);

/* All pages must be mapped: ENOMEM if one is not. @at must be a page's address. */
int mprotect(void *at, size_t length, int protection);

#endif
