/* SPDX-License-Identifier: MIT */
/* System calls, as in POSIX and Linux. What fails returns -1 and says why in errno. */
#ifndef USER_UNISTD_H
#define USER_UNISTD_H

#include <stdint.h>
#include <sys/types.h>

#define STDIN_FILENO  0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2

/* The environment: texts "NAME=value", and NULL behind the last. */
extern char **environ;

/**
 * brk() - put the program break at an address
 * @end: the first byte behind the program's data
 *
 * New memory reads as zero, also where there was some before: lowering the
 * break gives up what lies behind it. Pages are provided when they are touched
 * first; a program for which there is none then is ended.
 *
 * Return: 0; -1 with ENOMEM if the break cannot be there: below where it began,
 * in the way of something else, or more than there is. Then nothing has
 * changed. (glibc gives 0 for an address below, and does not move it either.)
 */
int brk(void *end);

/**
 * sbrk() - move the program break by a number of bytes
 * @increment: may be negative, or 0 to ask where it is
 *
 * malloc() calls it too, and carries on wherever the break is by then. So what
 * a program takes for itself stays its own; it may give back no more than that,
 * and only as long as the break is where it left it.
 *
 * Return: the break as it was before, which is where new memory begins;
 * (void *)-1 with ENOMEM where brk() would fail, or if there is no such address.
 */
void *sbrk(intptr_t increment);

/* Bytes read or written; may be fewer than @count. At the end of the input, 0 are read. */
ssize_t read(int fd, void *buffer, size_t count);
ssize_t write(int fd, const void *buffer, size_t count);

/* The number of this process; never fails. */
pid_t getpid(void);

/**
 * syscall() - any system call
 * @number: one of <sys/syscall.h>, or none
 *
 * Return: what the kernel gives, unless that is a negated error number: then -1
 * with errno.
 */
long syscall(long number, ...);

/* Ends the program at once. */
void __attribute__((noreturn)) _exit(int status);

#endif
