/* SPDX-License-Identifier: MIT */
/* Asks for memory in a known way; tests/host/record.t checks that it is recorded so. */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Volatile, or the compiler would leave out what is allocated and freed unused. */
static void *volatile early;
static void *volatile blocks[8];

/* Runs before the constructor of the recorder, whose block is so unknown to it. */
static void before(void)
{
	early = malloc(11);
}

__attribute__((section(".preinit_array"), used)) static void (*preinit)(void) = before;

static void every_function(void)
{
	void *p;

	free(early);
	blocks[0] = malloc(100);
	blocks[1] = calloc(7, 9);
	blocks[0] = realloc(blocks[0], 100000);
	blocks[2] = realloc(NULL, 33);
	if (posix_memalign(&p, 64, 1000) == 0)
		blocks[3] = p;
	blocks[4] = aligned_alloc(4096, 8192);
	free(blocks[1]);
	blocks[5] = reallocarray(NULL, 6, 50);
	blocks[5] = reallocarray(blocks[5], 3, 5);
	blocks[2] = realloc(blocks[2], 0);
	blocks[6] = memalign(32, 5);
	blocks[7] = valloc(17);
	free(NULL);
	free(blocks[3]);
	free(blocks[0]);
	blocks[0] = malloc(0);
	blocks[1] = strdup("from within the C library");
}

static void failures(void)
{
	volatile size_t too_much = SIZE_MAX / 2;
	void *p;

	blocks[0] = malloc(21);
	blocks[1] = malloc(too_much);
	blocks[1] = calloc(too_much, 16);
	blocks[1] = realloc(blocks[0], too_much);
	blocks[1] = reallocarray(blocks[0], too_much, 16);
	if (posix_memalign(&p, 24, 8) == 0)
		abort();
	free(blocks[0]);
}

/* Sizes a trace cannot hold: the pages are never touched, so only addresses are needed. */
static void giants(void)
{
	blocks[0] = malloc((size_t)1 << 31);
	blocks[1] = malloc(40);
	blocks[1] = realloc(blocks[1], (size_t)1 << 31);
	blocks[1] = realloc(blocks[1], 41);
	blocks[2] = memalign(8192, 42);
	free(blocks[0]);
	free(blocks[2]);
}

static void child_allocates(int status)
{
	for (int i = 0; i < 100; i++)
		blocks[2] = malloc(1000);
	free(blocks[0]);
	if (status)
		exit(status);
	_exit(status);
}

static void forks(void)
{
	blocks[0] = malloc(51);
	for (int status = 0; status < 2; status++) {
		pid_t pid = fork();

		if (pid == 0)
			child_allocates(status);
		waitpid(pid, NULL, 0);
	}
	blocks[1] = malloc(52);
}

/* The child of vfork() shares this memory, but does not end this program. */
static void vforks(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	blocks[0] = malloc(53);
}

static void *thread(void *unused)
{
	void *volatile mine[32] = { NULL };

	for (size_t i = 0; i < 20000; i++) {
		size_t n = i * 7 % 32;

		if (i % 3 == 0) {
			free(mine[n]);
			mine[n] = malloc(i % 500);
		} else {
			mine[n] = realloc(mine[n], 1 + i % 700);
		}
	}
	for (size_t n = 0; n < 32; n++)
		free(mine[n]);
	return unused;
}

static void threads(void)
{
	pthread_t ids[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&ids[i], NULL, thread, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(ids[i], NULL);
}

/* Another run of this same program must not overwrite the trace. */
static void runs_itself(char **argv)
{
	pid_t pid;

	blocks[0] = malloc(61);
	pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", argv[0], "every", (char *)NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	blocks[1] = malloc(62);
}

static void many(void)
{
	for (size_t i = 0; i < 50; i++)
		blocks[i % 8] = malloc(i);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "every") == 0)
		every_function();
	else if (strcmp(what, "failures") == 0)
		failures();
	else if (strcmp(what, "giants") == 0)
		giants();
	else if (strcmp(what, "forks") == 0)
		forks();
	else if (strcmp(what, "vforks") == 0)
		vforks();
	else if (strcmp(what, "threads") == 0)
		threads();
	else if (strcmp(what, "itself") == 0)
		runs_itself(argv);
	else
		many();
	if (strcmp(what, "_exit") == 0)
		_exit(0);
	if (strcmp(what, "_Exit") == 0)
		_Exit(0);
	return chdir("/");
}
