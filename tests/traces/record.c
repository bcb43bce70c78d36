/* SPDX-License-Identifier: MIT */
/*
 * A recorder of heap traffic, preloaded into a real program of the host. README.md tells how to
 * use it and documents the format it writes.
 *
 * The real allocator is reached by the names glibc gives it besides the ones interposed here, and
 * not through dlsym(), which allocates and so would have to be answered before it is resolved.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_OPERATIONS (1u << 24)
#define MAX_SLOTS      (1u << 18)
#define MAX_ALIGNMENT  (1u << 12)
#define MAX_SIZE       ((1u << 31) - 1)
/* The longest operation: a head of four bytes, an alignment of one and a size of five. */
#define OPERATION_BYTES 10
/* Twice the slots: at most half full, so that probing stays short. */
#define TABLE_BITS 20
#define TABLE_SIZE (1u << TABLE_BITS)

enum kind { ALLOC, ZALLOC, ALIGNED, REALLOC, FREE };

/* A live block of the program; an address of 0 marks an empty place of the table. */
struct block {
	uintptr_t address;
	uint32_t slot;
};

/* All of it is one mapping, of which only the pages in use cost anything. */
struct recorder {
	pid_t pid;
	pthread_mutex_t lock;
	bool full;
	uint32_t operations;
	uint32_t max_operations;
	uint32_t slots;
	uint32_t nr_free;
	uint32_t length;
	char path[PATH_MAX];
	uint32_t free_slots[MAX_SLOTS];
	struct block table[TABLE_SIZE];
	uint8_t body[MAX_OPERATIONS * OPERATION_BYTES];
};

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *p);

static struct recorder *rec;

/* A child of fork() or vfork() has the recorder in its memory, but is not the one recorded. */
static bool is_recorded(void)
{
	return rec && getpid() == rec->pid;
}

static bool enter(void)
{
	if (!is_recorded())
		return false;
	pthread_mutex_lock(&rec->lock);
	return true;
}

static void leave(void)
{
	pthread_mutex_unlock(&rec->lock);
}

static void put_varint(uint32_t value)
{
	for (; value >= 0x80; value >>= 7)
		rec->body[rec->length++] = (uint8_t)(value | 0x80);
	rec->body[rec->length++] = (uint8_t)value;
}

static void put_head(enum kind kind, uint32_t slot)
{
	put_varint(slot << 3 | kind);
	if (++rec->operations == rec->max_operations)
		rec->full = true;
}

static uint32_t home_of(uintptr_t address)
{
	return (uint32_t)(address >> 4) * 2654435761u >> (32 - TABLE_BITS);
}

/* The place of the block, or the empty place where it belongs. */
static uint32_t place_of(uintptr_t address)
{
	uint32_t i = home_of(address);

	while (rec->table[i].address && rec->table[i].address != address)
		i = (i + 1) % TABLE_SIZE;
	return i;
}

/* Moves up the blocks which had to yield to the removed one, or they would not be found again. */
static void remove_from_table(uint32_t hole)
{
	uint32_t i = hole, probes;

	for (;;) {
		i = (i + 1) % TABLE_SIZE;
		if (!rec->table[i].address)
			break;
		probes = (i - home_of(rec->table[i].address)) % TABLE_SIZE;
		if (probes < (i - hole) % TABLE_SIZE)
			continue;
		rec->table[hole] = rec->table[i];
		hole = i;
	}
	rec->table[hole].address = 0;
}

static void insert_into_table(uintptr_t address, uint32_t slot)
{
	struct block *block = &rec->table[place_of(address)];

	block->address = address;
	block->slot = slot;
}

/* Records the end of a block; blocks from before the start of the recording are not known. */
static void forget(uintptr_t address)
{
	uint32_t i = place_of(address);
	uint32_t slot = rec->table[i].slot;

	if (rec->full || !rec->table[i].address)
		return;
	put_head(FREE, slot);
	rec->free_slots[rec->nr_free++] = slot;
	remove_from_table(i);
}

static unsigned int log2_up(size_t alignment)
{
	unsigned int bits = 0;

	while ((size_t)1 << bits < alignment)
		bits++;
	return bits;
}

/* Records a new block, unless a trace cannot hold one of its kind. */
static void remember(enum kind kind, uintptr_t address, size_t alignment, size_t size)
{
	uint32_t slot;

	/* Known already? Then the child of a vfork() freed it unseen. */
	forget(address);
	if (rec->full || alignment > MAX_ALIGNMENT || size > MAX_SIZE)
		return;
	if (rec->nr_free == 0 && rec->slots == MAX_SLOTS) {
		rec->full = true;
		return;
	}
	slot = rec->nr_free ? rec->free_slots[--rec->nr_free] : rec->slots++;
	put_head(kind, slot);
	if (kind == ALIGNED)
		put_varint(log2_up(alignment));
	put_varint((uint32_t)size);
	insert_into_table(address, slot);
}

static void *note_alloc(enum kind kind, void *p, size_t alignment, size_t size)
{
	if (p && enter()) {
		remember(kind, (uintptr_t)p, alignment, size);
		leave();
	}
	return p;
}

static void note_move(uintptr_t old, uintptr_t new, size_t size)
{
	uint32_t slot;

	if (new != old)
		forget(new);
	if (rec->full)
		return;
	slot = rec->table[place_of(old)].slot;
	put_head(REALLOC, slot);
	put_varint((uint32_t)size);
	if (new != old) {
		remove_from_table(place_of(old));
		insert_into_table(new, slot);
	}
}

static void note_realloc(uintptr_t old, uintptr_t new, size_t size)
{
	bool known = old && rec->table[place_of(old)].address;

	if (!new) {
		/* With a size of 0 glibc frees the block; otherwise the call has failed. */
		if (known && size == 0)
			forget(old);
	} else if (known && size <= MAX_SIZE) {
		note_move(old, new, size);
	} else {
		if (known)
			forget(old);
		remember(ALLOC, new, 0, size);
	}
}

void *malloc(size_t size)
{
	return note_alloc(ALLOC, __libc_malloc(size), 0, size);
}

void *calloc(size_t count, size_t size)
{
	return note_alloc(ZALLOC, __libc_calloc(count, size), 0, count * size);
}

/* Locked throughout: the old address may be another thread's as soon as the real one returns. */
void *realloc(void *old, size_t size)
{
	void *p;

	if (!enter())
		return __libc_realloc(old, size);
	p = __libc_realloc(old, size);
	note_realloc((uintptr_t)old, (uintptr_t)p, size);
	leave();
	return p;
}

void *reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, bytes);
}

void free(void *p)
{
	/* Before the real one, for the address may be another thread's once that is done. */
	if (p && enter()) {
		forget((uintptr_t)p);
		leave();
	}
	__libc_free(p);
}

void *memalign(size_t alignment, size_t size)
{
	return note_alloc(ALIGNED, __libc_memalign(alignment, size), alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
	void *p;

	if (alignment % sizeof(void *) || alignment == 0 || alignment & (alignment - 1))
		return EINVAL;
	p = memalign(alignment, size);
	if (!p)
		return ENOMEM;
	*result = p;
	return 0;
}

void *valloc(size_t size)
{
	return memalign((size_t)getpagesize(), size);
}

static void put_u32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static bool write_all(int fd, const uint8_t *from, size_t length)
{
	while (length) {
		ssize_t n = write(fd, from, length);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			from += n;
			length -= (size_t)n;
		}
	}
	return true;
}

static bool write_trace(void)
{
	uint8_t header[16] = "FPT1";
	int fd = open(rec->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	bool written;

	if (fd < 0)
		return false;
	put_u32(header + 4, rec->operations);
	put_u32(header + 8, rec->slots);
	put_u32(header + 12, rec->length);
	written = write_all(fd, header, sizeof(header)) && write_all(fd, rec->body, rec->length);
	return close(fd) == 0 && written;
}

__attribute__((destructor)) static void finish(void)
{
	if (!enter())
		return;
	if (!write_trace())
		dprintf(STDERR_FILENO, "record.so: cannot write %s\n", rec->path);
	/* What the program still frees after this is no part of the trace. */
	rec->full = true;
	rec->pid = 0;
	leave();
}

void _exit(int status)
{
	finish();
	for (;;)
		syscall(SYS_exit_group, status);
}

void _Exit(int status)
{
	_exit(status);
}

/* The program may change its directory, so the name of the trace is made absolute. */
static bool set_path(struct recorder *r, const char *path)
{
	size_t used = 0;

	if (path[0] != '/') {
		if (!getcwd(r->path, sizeof(r->path) - 1))
			return false;
		used = strlen(r->path);
		r->path[used++] = '/';
	}
	if (strlen(path) >= sizeof(r->path) - used)
		return false;
	strcpy(r->path + used, path);
	return true;
}

static uint32_t wanted_operations(void)
{
	const char *text = getenv("FENCEPOST_MAX");
	unsigned long max = text ? strtoul(text, NULL, 10) : 0;

	return max == 0 || max > MAX_OPERATIONS ? MAX_OPERATIONS : (uint32_t)max;
}

static struct recorder *new_recorder(const char *path)
{
	struct recorder *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (r == MAP_FAILED)
		return NULL;
	if (!set_path(r, path)) {
		munmap(r, sizeof(*r));
		return NULL;
	}
	pthread_mutex_init(&r->lock, NULL);
	r->pid = getpid();
	r->max_operations = wanted_operations();
	return r;
}

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("FENCEPOST_TRACE");
	const char *program = getenv("FENCEPOST_PROGRAM");

	if (!path || !program || strcmp(program, program_invocation_short_name) != 0)
		return;
	rec = new_recorder(path);
	if (!rec)
		dprintf(STDERR_FILENO, "record.so: cannot record into %s\n", path);
	/* A program run by this one, even one of the same name, must not overwrite its trace. */
	unsetenv("FENCEPOST_TRACE");
}
