/* SPDX-License-Identifier: MIT */
/* Memory by mmap() and its kin, on the stack, and as a buffer of system calls. */
#include "tests/user/check.h"

#include <alloca.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE	   ((size_t)4096)
#define OWN	   (MAP_PRIVATE | MAP_ANONYMOUS)
#define READ_WRITE (PROT_READ | PROT_WRITE)
#define KERNEL	   ((char *)0xFFFFF000)

/* Volatile, or a compiler may complain of what must be refused. */
static char *volatile nowhere;
static volatile size_t too_much = SIZE_MAX - PAGE;

static char *pages(size_t n)
{
	char *at = mmap(NULL, n * PAGE, READ_WRITE, OWN, -1, 0);

	CHECK(at != MAP_FAILED && (uintptr_t)at % PAGE == 0);
	return at;
}

static bool all(const char *bytes, char value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

/* Whether the kernel reads there for a program. What is there is a newline. */
static bool readable(const char *at)
{
	return write(STDOUT_FILENO, at, 1) == 1;
}

static void check_mmap(void)
{
	char *at = pages(3);

	CHECK(all(at, 0, 3 * PAGE));
	memset(at, '\n', 3 * PAGE);
	CHECK(readable(at) && readable(at + 3 * PAGE - 1));
	CHECK(munmap(at, 3 * PAGE) == 0);
	CHECK_FAILS(write(STDOUT_FILENO, at, 1), -1, EFAULT);
	CHECK(mmap(at, 3 * PAGE, READ_WRITE, OWN, -1, 0) == at); /* it is free, so it is given */
	CHECK(all(at, 0, 3 * PAGE));
	CHECK(munmap(at, 2 * PAGE + 1) == 0); /* by whole pages */
	CHECK_FAILS(write(STDOUT_FILENO, at + 2 * PAGE, 1), -1, EFAULT);
}

static void check_mmap_refuses(void)
{
	CHECK_FAILS(mmap(NULL, 0, READ_WRITE, OWN, -1, 0), MAP_FAILED, EINVAL);
	CHECK_FAILS(mmap(NULL, PAGE, READ_WRITE, OWN, -1, 1), MAP_FAILED, EINVAL);
	CHECK_FAILS(mmap(NULL, PAGE, READ_WRITE, MAP_ANONYMOUS, -1, 0), MAP_FAILED, EINVAL);
	CHECK_FAILS(mmap(NULL, PAGE, READ_WRITE, MAP_PRIVATE, -1, 0), MAP_FAILED, EBADF);
	CHECK_FAILS(mmap(NULL, too_much, READ_WRITE, OWN, -1, 0), MAP_FAILED, ENOMEM);
	CHECK_FAILS(mmap(NULL, too_much + PAGE, READ_WRITE, OWN, -1, 0), MAP_FAILED, ENOMEM);
	CHECK_FAILS(mmap(KERNEL, PAGE, READ_WRITE, OWN | MAP_FIXED, -1, 0), MAP_FAILED, ENOMEM);
	CHECK_FAILS(mmap((void *)(PAGE * 100), too_much, READ_WRITE, OWN | MAP_FIXED, -1, 0),
		    MAP_FAILED, ENOMEM);
	CHECK_FAILS(mmap((void *)(PAGE * 100 + 1), PAGE, READ_WRITE, OWN | MAP_FIXED, -1, 0),
		    MAP_FAILED, EINVAL);
}

static void check_map_fixed(void)
{
	char *at = pages(3);

	memset(at, 1, 3 * PAGE);
	CHECK(mmap(at + PAGE, PAGE, READ_WRITE, OWN | MAP_FIXED, -1, 0) == at + PAGE);
	CHECK(all(at, 1, PAGE) && all(at + PAGE, 0, PAGE) && all(at + 2 * PAGE, 1, PAGE));
	CHECK(munmap(at, 3 * PAGE) == 0);
}

static void check_munmap(void)
{
	char *at = pages(5);

	memset(at, '\n', 5 * PAGE);
	CHECK_FAILS(munmap(at + 1, PAGE), -1, EINVAL);
	CHECK_FAILS(munmap(at, 0), -1, EINVAL);
	CHECK_FAILS(munmap(at, too_much), -1, EINVAL);
	CHECK_FAILS(munmap(KERNEL, PAGE), -1, EINVAL);
	CHECK(all(at, '\n', 5 * PAGE));
	CHECK(munmap(at + 2 * PAGE, PAGE) == 0); /* a hole */
	CHECK(all(at, '\n', 2 * PAGE) && all(at + 3 * PAGE, '\n', 2 * PAGE));
	CHECK_FAILS(write(STDOUT_FILENO, at + 2 * PAGE, 1), -1, EFAULT);
	CHECK(munmap(at, 5 * PAGE) == 0); /* over the hole */
	CHECK(munmap(at, 5 * PAGE) == 0); /* and where nothing is */
	CHECK_FAILS(write(STDOUT_FILENO, at, 1), -1, EFAULT);
}

static void check_mprotect(void)
{
	char *at = pages(4);

	memset(at, '\n', 4 * PAGE);
	CHECK(mprotect(at + PAGE, PAGE, PROT_READ) == 0);
	CHECK(all(at, '\n', 4 * PAGE) && readable(at + PAGE));
	CHECK(mprotect(at + PAGE, 1, READ_WRITE) == 0);
	memset(at, '-', 4 * PAGE);
	CHECK(mprotect(at + PAGE, PAGE, PROT_NONE) == 0);
	CHECK_FAILS(write(STDOUT_FILENO, at + PAGE, 1), -1, EFAULT);
	CHECK(all(at, '-', PAGE) && all(at + 2 * PAGE, '-', 2 * PAGE));
	CHECK(mprotect(at, 4 * PAGE, READ_WRITE) == 0 && all(at, '-', 4 * PAGE));
	CHECK(mprotect(at, 0, PROT_NONE) == 0 && at[0] == '-');
	CHECK_FAILS(mprotect(at + 1, PAGE, PROT_READ), -1, EINVAL);
	CHECK_FAILS(mprotect(at, PAGE, 0x100), -1, EINVAL);
	CHECK_FAILS(mprotect((void *)PAGE, too_much, PROT_READ), -1, ENOMEM);
	CHECK_FAILS(mprotect(KERNEL, PAGE, PROT_READ), -1, ENOMEM);
	CHECK(munmap(at + PAGE, PAGE) == 0);
	CHECK_FAILS(mprotect(at + PAGE, PAGE, PROT_READ), -1, ENOMEM);
	CHECK(munmap(at, 4 * PAGE) == 0);
}

/* A mapping in its way stops the break, with all that was there before still there. */
static void check_mapping_above_the_break(void)
{
	char *start = sbrk(0);
	char *wall = (char *)(((uintptr_t)start + 64 * PAGE) & ~(PAGE - 1));

	CHECK(mmap(wall, PAGE, READ_WRITE, OWN | MAP_FIXED, -1, 0) == wall);
	memset(wall, 'w', PAGE);
	CHECK_FAILS(brk(wall + 1), -1, ENOMEM);
	CHECK_FAILS(brk(wall + 1000 * PAGE), -1, ENOMEM);
	CHECK(sbrk(0) == start && brk(wall - 16 * PAGE) == 0);
	CHECK(all(start, 0, (size_t)(wall - 16 * PAGE - start)));
	CHECK(all(wall, 'w', PAGE));
	CHECK(munmap(wall, PAGE) == 0 && brk(wall + 1) == 0 && wall[0] == 0);
	CHECK(brk(start) == 0);
}

/* Frames of 64 KiB, each with what it must find again. */
static __attribute__((noinline)) unsigned int deep(unsigned int depth)
{
	volatile char here[64 * 1024];
	unsigned int below;

	here[0] = here[sizeof(here) - 1] = (char)depth;
	below = depth > 0 ? deep(depth - 1) : 0;
	return below + (here[0] == (char)depth && here[sizeof(here) - 1] == (char)depth);
}

static void check_stack(void)
{
	size_t size = (size_t)1 << 20;
	char *first = alloca(100), *second = alloca(size), *third = alloca(100);

	memset(first, 1, 100);
	memset(third, 3, 100);
	memset(second, 2, size);
	CHECK(all(first, 1, 100) && all(second, 2, size) && all(third, 3, 100));
	CHECK(deep(63) == 64); /* 4 MiB */
}

static void check_buffers(void)
{
	char text[] = "\n";

	CHECK(write(STDOUT_FILENO, text, 1) == 1);
	CHECK(write(STDOUT_FILENO, text, 0) == 0);
	CHECK_FAILS(write(-1, text, 1), -1, EBADF);
	CHECK_FAILS(write(1000, text, 1), -1, EBADF);
	CHECK_FAILS(write(STDOUT_FILENO, nowhere, 1), -1, EFAULT);
	CHECK_FAILS(write(STDOUT_FILENO, KERNEL, 1), -1, EFAULT);
	CHECK_FAILS(read(-1, text, 1), -1, EBADF);
	CHECK_FAILS(read(1000, text, 1), -1, EBADF);
	CHECK_FAILS(syscall(9999), -1, ENOSYS);
	CHECK_FAILS(syscall(-1), -1, ENOSYS);
	CHECK(getpid() > 0 && syscall(SYS_getpid) == getpid());
}

int main(void)
{
	check_plan();
	check_mmap();
	check_mmap_refuses();
	check_map_fixed();
	check_munmap();
	check_mprotect();
	check_mapping_above_the_break();
	check_stack();
	check_buffers();
	return check_result("memory from mmap() and on the stack");
}
