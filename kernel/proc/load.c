/* SPDX-License-Identifier: MIT */
/*
 * Loading a program.
 *
 * The stack, as it is when the program begins, from the top down:
 *
 *	USER_END
 *	  a word of 0
 *	  16 random bytes
 *	  name and arguments, each with a zero behind it
 *	  auxiliary vector: pairs of words, up to one of AT_NULL
 *	  0                         the environment
 *	  argv[0] ... argv[argc - 1], 0
 *	  argc                      at the stack pointer, a multiple of 16
 */
#include "kernel/proc/load.h"
#include "kernel/mm/layout.h"
#include "kernel/panic.h"
#include "kernel/x86/cpu.h"

#include <errno.h>
#include <string.h>

#define STACK_ALIGN  16U
#define RANDOM_BYTES 16U

/* Types of the auxiliary vector, as in Linux. */
enum {
	AT_NULL = 0,
	AT_PHDR = 3,
	AT_PHENT = 4,
	AT_PHNUM = 5,
	AT_PAGESZ = 6,
	AT_ENTRY = 9,
	AT_UID = 11,
	AT_EUID = 12,
	AT_GID = 13,
	AT_EGID = 14,
	AT_HWCAP = 16,
	AT_CLKTCK = 17,
	AT_SECURE = 23,
	AT_RANDOM = 25,
	AT_EXECFN = 31,
};

#define CLOCK_TICKS 100U /* a second, in what Linux's times() counts */

static const char no_memory[] = "there is not enough memory for it";

static uintptr_t page_of(uintptr_t address)
{
	return address & ~(uintptr_t)PAGE_MASK;
}

static uintptr_t page_end(uintptr_t address)
{
	return page_of(address + PAGE_MASK);
}

/* Writable until its bytes are there. Pages behind those of the file come when they are touched. */
static int load_segment(struct memory *memory, const struct elf_segment *segment, const void *file)
{
	uintptr_t start = page_of(segment->start), end = page_end(segment->end);
	int error = memory_place(memory, start, end, PAGE_USER | PAGE_WRITE, "program");

	if (!error)
		error = memory_write(memory, segment->start, (const char *)file + segment->offset,
				     segment->file_size);
	if (!error && !segment->writable)
		error = memory_protect(memory, start, end - start, PAGE_USER);
	return error;
}

static const char *load_segments(struct memory *memory, const struct elf_program *program,
				 const void *file)
{
	const struct elf_segment *segments = program->segments;
	size_t size = 0;

	for (unsigned int i = 0; i < program->nsegments; i++)
		size += page_end(segments[i].end) - page_of(segments[i].start);
	if (memory_too_much(size))
		return "it is larger than all memory that there is";
	for (unsigned int i = 0; i < program->nsegments; i++)
		if (load_segment(memory, &segments[i], file))
			return no_memory;
	return NULL;
}

static char *put_word(char *to, const char *word, size_t length)
{
	memcpy(to, word, length);
	to[length] = '\0';
	return to + length + 1;
}

/* How many bytes name and arguments are, with what ends each, and how many words. */
static size_t count_words(const struct load_words *words, unsigned int *n)
{
	size_t bytes = strlen(words->name) + 1;

	*n = 1;
	for (const char *at = words->arguments; at && *at;) {
		size_t length = strcspn(at, " ");

		if (length > 0) {
			bytes += length + 1;
			++*n;
		}
		at += length + (at[length] == ' ');
	}
	return bytes;
}

static void put_words(char *to, const struct load_words *words)
{
	to = put_word(to, words->name, strlen(words->name));
	for (const char *at = words->arguments; at && *at;) {
		size_t length = strcspn(at, " ");

		if (length > 0)
			to = put_word(to, at, length);
		at += length + (at[length] == ' ');
	}
}

/* Nothing that keeps a secret: the time stamp counter, stirred. */
static void fill_random(uint32_t bytes[RANDOM_BYTES / 4])
{
	uint32_t state = (uint32_t)rdtsc() | 1;

	for (unsigned int i = 0; i < RANDOM_BYTES / 4; i++) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		bytes[i] = state;
	}
}

static uint32_t *put_pair(uint32_t *to, uint32_t type, uint32_t value)
{
	*to++ = type;
	*to++ = value;
	return to;
}

static uint32_t *put_auxiliary(uint32_t *to, const struct elf_program *program, uintptr_t random,
			       uintptr_t name)
{
	to = put_pair(to, AT_PHDR, program->headers);
	to = put_pair(to, AT_PHENT, ELF_HEADER_SIZE);
	to = put_pair(to, AT_PHNUM, program->headers ? program->nheaders : 0);
	to = put_pair(to, AT_PAGESZ, PAGE_SIZE);
	to = put_pair(to, AT_ENTRY, program->entry);
	to = put_pair(to, AT_UID, 0);
	to = put_pair(to, AT_EUID, 0);
	to = put_pair(to, AT_GID, 0);
	to = put_pair(to, AT_EGID, 0);
	to = put_pair(to, AT_HWCAP, cpu_features());
	to = put_pair(to, AT_CLKTCK, CLOCK_TICKS);
	to = put_pair(to, AT_SECURE, 0);
	to = put_pair(to, AT_RANDOM, random);
	to = put_pair(to, AT_EXECFN, name);
	return put_pair(to, AT_NULL, 0);
}

#define AUXILIARY_WORDS 30U /* that these are */

/* All of the words below @strings. The names lie there one behind the other. */
static void put_pointers(uintptr_t pointer, unsigned int nwords, uintptr_t strings,
			 const struct elf_program *program, uintptr_t random)
{
	uint32_t *to = (uint32_t *)pointer;
	uintptr_t at = strings;

	*to++ = nwords;
	for (unsigned int i = 0; i < nwords; i++) {
		*to++ = at;
		at += strlen((const char *)at) + 1;
	}
	*to++ = 0;
	*to++ = 0;
	put_auxiliary(to, program, random, strings);
}

static const char *load_stack(struct memory *memory, const struct elf_program *program,
			      const struct load_words *words, uintptr_t *stack_pointer)
{
	unsigned int nwords;
	size_t bytes = count_words(words, &nwords);
	uintptr_t random = USER_END - sizeof(uint32_t) - RANDOM_BYTES, strings = random - bytes;
	size_t below = (1 + nwords + 1 + 1 + AUXILIARY_WORDS) * sizeof(uint32_t);
	uintptr_t pointer = (strings - below) & ~(uintptr_t)(STACK_ALIGN - 1);

	if (bytes > LOAD_ARGUMENTS_MAX)
		return "its arguments are too long";
	if (memory_place(memory, USER_STACK_BASE, USER_END, PAGE_USER | PAGE_WRITE, "stack"))
		return no_memory;
	for (uintptr_t at = page_of(pointer); at < USER_END; at += PAGE_SIZE)
		if (memory_touch(memory, at, true))
			return no_memory;
	fill_random((uint32_t *)random);
	put_words((char *)strings, words);
	put_pointers(pointer, nwords, strings, program, random);
	*stack_pointer = pointer;
	return NULL;
}

const char *load_program(struct memory *memory, const struct elf_program *program, const void *file,
			 const struct load_words *words, uintptr_t *stack_pointer)
{
	uintptr_t end = page_end(program->segments[program->nsegments - 1].end);
	const char *reason = load_segments(memory, program, file);

	if (reason)
		return reason;
	kassert(brk_init_on_touch(&memory->brk, &memory->space, end, USER_MAP_END) == 0);
	return load_stack(memory, program, words, stack_pointer);
}
