/* SPDX-License-Identifier: MIT */
/* Printing to a file descriptor, in few system calls and without an allocation. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What has been printed and not written yet. */
struct output {
	int fd;
	bool failed;
	size_t used;
	char text[512];
};

static void flush(struct output *output)
{
	size_t done = 0;

	while (!output->failed && done < output->used) {
		ssize_t n = write(output->fd, output->text + done, output->used - done);

		output->failed = n <= 0;
		done += n > 0 ? (size_t)n : 0;
	}
	output->used = 0;
}

static void put(void *context, const char *text, size_t n)
{
	struct output *output = context;

	while (n > 0) {
		size_t room = sizeof(output->text) - output->used, part = n < room ? n : room;

		memcpy(output->text + output->used, text, part);
		output->used += part;
		text += part;
		n -= part;
		if (output->used == sizeof(output->text))
			flush(output);
	}
}

int vdprintf(int fd, const char *fmt, va_list args)
{
	struct output output = { .fd = fd };
	int length = vprintf_to(put, &output, fmt, args);

	flush(&output);
	return output.failed ? -1 : length;
}

int dprintf(int fd, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = vdprintf(fd, fmt, args);
	va_end(args);
	return length;
}

int vprintf(const char *fmt, va_list args)
{
	return vdprintf(STDOUT_FILENO, fmt, args);
}

int printf(const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = vprintf(fmt, args);
	va_end(args);
	return length;
}

int puts(const char *text)
{
	return printf("%s\n", text);
}

int putchar(int c)
{
	return printf("%c", c) < 0 ? -1 : (unsigned char)c;
}
