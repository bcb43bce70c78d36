/* SPDX-License-Identifier: MIT */
/* System calls that need no more than their number. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OFFSET_UNIT 4096 /* what mmap2 counts offsets in */

int errno;

ssize_t read(int fd, void *buffer, size_t count)
{
	return syscall(SYS_read, fd, buffer, count);
}

ssize_t write(int fd, const void *buffer, size_t count)
{
	return syscall(SYS_write, fd, buffer, count);
}

pid_t getpid(void)
{
	return (pid_t)syscall(SYS_getpid);
}

void _exit(int status)
{
	for (;;)
		syscall(SYS_exit_group, status);
}

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	if (offset % OFFSET_UNIT) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	return (void *)syscall(SYS_mmap2, at, length, protection, flags, fd,
			       (unsigned long)offset / OFFSET_UNIT);
}

int munmap(void *at, size_t length)
{
	return (int)syscall(SYS_munmap, at, length);
}

int mprotect(void *at, size_t length, int protection)
{
	return (int)syscall(SYS_mprotect, at, length, protection);
}
