/* SPDX-License-Identifier: MIT */
/*
 * Memory, numbers, and the end of a program, as in POSIX and Linux.
 *
 * The heap is kernel/mm/heap.c over sbrk(). A call that would damage it, or
 * finds it damaged, names the fault and the block on the standard error output
 * and ends the program by abort(): a block freed twice, a pointer to none, a
 * header that was overwritten.
 */
#ifndef USER_STDLIB_H
#define USER_STDLIB_H

#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1

/**
 * malloc() - allocate
 * @size: bytes; 0 gives a block too, at an address no other block has
 *
 * The contents are arbitrary.
 *
 * Return: a multiple of 8; NULL with ENOMEM if there is no more, or if a
 * difference of pointers would not span it. Then nothing has changed.
 */
void *malloc(size_t size);

/* As malloc(@count * @size), and zeroed; ENOMEM if the product does not fit. */
void *calloc(size_t count, size_t size);

/**
 * realloc() - change the size of an allocation
 * @ptr: from any of these functions; NULL makes this malloc(@size)
 * @size: the new size; 0, with @ptr not NULL, frees it as free() does and gives NULL
 *
 * The contents stay, up to the smaller of both sizes; the address may change.
 *
 * Return: as malloc(). On NULL with ENOMEM the old block is still there, unchanged.
 */
void *realloc(void *ptr, size_t size);

/* As realloc(@ptr, @count * @size); ENOMEM if the product does not fit. */
void *reallocarray(void *ptr, size_t count, size_t size);

/**
 * aligned_alloc() - allocate at a multiple of @alignment
 * @alignment: a power of two
 * @size: bytes; need not be a multiple of @alignment
 *
 * Free it as any other.
 *
 * Return: as malloc(); NULL with EINVAL if @alignment is no power of two.
 */
void *aligned_alloc(size_t alignment, size_t size);

/**
 * posix_memalign() - allocate at a multiple of @alignment
 * @memptr: receives the address; left alone on failure
 * @alignment: a power of two and a multiple of sizeof(void *)
 *
 * errno is left alone.
 *
 * Return: 0; EINVAL if @alignment is another, ENOMEM where malloc() would fail.
 */
int posix_memalign(void **memptr, size_t alignment, size_t size);

/* Gives an allocation back; NULL does nothing. errno is left alone. */
void free(void *ptr);

/**
 * strtol() - read a number
 * @text: after leading white space, with or without a sign
 * @end: receives where reading stopped, @text if there was no number; may be NULL
 * @base: 2 to 36; 0 takes it from a prefix 0x or 0
 *
 * Return: the number; LONG_MIN or LONG_MAX with ERANGE if it does not fit; 0 if
 * there is none, with EINVAL if @base is another.
 */
long strtol(const char *text, char **end, int base);

/* The same, with ULONG_MAX for what does not fit; "-1" is ULONG_MAX too, as in ISO C. */
unsigned long strtoul(const char *text, char **end, int base);

/* The number in decimal that @text begins with, as strtol() reads it. */
int atoi(const char *text);

/* The value of a variable of the environment; NULL if there is none of that name. */
char *getenv(const char *name);

/* Ends the program. Returning from main() does the same with what it returns. */
void __attribute__((noreturn)) exit(int status);

/**
 * abort() - end the program as one that went wrong
 *
 * By the signal SIGABRT, from which a shell makes status 134. Where there are
 * no signals, or none came of it, by that status.
 */
void __attribute__((noreturn)) abort(void);

#endif
