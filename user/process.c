/* SPDX-License-Identifier: MIT */
/* The way from start.S to main(), and those to the end. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIGABRT	       6
#define STATUS_ABORTED (128 + SIGABRT)

typedef void constructor(void);

/* The functions to call before main(), as the linker has collected them. */
extern constructor *const __init_array_start[], *const __init_array_end[];

int main(int argc, char **argv, char **envp);
void start(uintptr_t *stack) __attribute__((noreturn));

char **environ;

void start(uintptr_t *stack)
{
	int argc = (int)stack[0];
	char **argv = (char **)&stack[1];

	environ = argv + argc + 1;
	for (constructor *const *call = __init_array_start; call < __init_array_end; call++)
		(*call)();
	exit(main(argc, argv, environ));
}

char *getenv(const char *name)
{
	size_t length = strlen(name);

	for (char **at = environ; *at; at++)
		if (strncmp(*at, name, length) == 0 && (*at)[length] == '=')
			return *at + length + 1;
	return NULL;
}

void exit(int status)
{
	_exit(status);
}

void abort(void)
{
	syscall(SYS_kill, getpid(), SIGABRT);
	_exit(STATUS_ABORTED);
}
