/* SPDX-License-Identifier: MIT */
/*
 * Commands that use the kernel's heap: kmalloc and its kin, by name.
 *
 * The table lies outside of the heap, so that the heap holds what was asked for
 * and nothing else. Only a block that is in use and has a name is given to kfree
 * or krealloc: whoever wants to see what becomes of a wrong pointer has `fault`,
 * and of a damaged block `poke`.
 */
#include "kernel/monitor/handles.h"
#include "kernel/dev/console.h"
#include "kernel/mm/brk.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/layout.h"
#include "kernel/monitor/changes.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/sandbox.h"
#include "kernel/monitor/words.h"

#include <printf.h>
#include <string.h>

#define HANDLES	  32U
#define NAME_SIZE 16

struct handle {
	char name[NAME_SIZE];
	unsigned char *ptr;
	size_t asked, granted;
	bool live; /* else it has been freed, and the name may be used again */
};

static struct handle handles[HANDLES];

static struct handle *find(const char *name)
{
	for (size_t i = 0; i < HANDLES; i++)
		if (strcmp(handles[i].name, name) == 0)
			return &handles[i];
	return NULL;
}

static bool offset_said(const char *text, enum words_number result)
{
	if (result != WORDS_NUMBER)
		kprintf("%s: what stands behind + or - is %s\n", text,
			result == WORDS_TOO_LARGE ? "too large" : "no number");
	return result == WORDS_NUMBER;
}

bool handles_address(char *text, uintptr_t *address)
{
	uint32_t offset, number = 0;
	enum words_number result;
	const struct handle *handle;

	if (!offset_said(text, words_offset(text, &offset)))
		return false;
	handle = *text ? find(text) : NULL;
	result = handle ? WORDS_NUMBER : words_number(text, &number);
	if (result == WORDS_NUMBER) {
		*address = (handle ? (uintptr_t)handle->ptr : number) + offset;
		return true;
	}
	if (result == WORDS_TOO_LARGE)
		kprintf("%s is beyond the last address\n", text);
	else
		kprintf("%s is neither a number nor a name; handles lists the names\n", text);
	return false;
}

/* A name that nothing in use has. */
static const char *made_up_name(void)
{
	static char name[NAME_SIZE];
	const struct handle *handle;
	unsigned int i = 0;

	do {
		snprintf(name, sizeof(name), "h%u", ++i);
		handle = find(name);
	} while (handle && handle->live);
	return name;
}

/* A place for a new handle; says why if there is none. */
static struct handle *new_handle(const char *name)
{
	struct handle *handle = find(name);

	if (handle && handle->live) {
		kprintf("%s is in use; kfree %s first\n", name, name);
		return NULL;
	}
	for (size_t i = 0; !handle && i < HANDLES; i++)
		if (!handles[i].name[0])
			handle = &handles[i];
	for (size_t i = 0; !handle && i < HANDLES; i++)
		if (!handles[i].live)
			handle = &handles[i];
	if (!handle)
		kprintf("all %u names are in use; kfree one first\n", HANDLES);
	return handle;
}

/* The handle of a block that is in use; says why if it is none. */
static struct handle *live_handle(const char *name)
{
	struct handle *handle = find(name);

	if (!handle)
		kprintf("there is no %s; handles lists the names\n", name);
	else if (!handle->live)
		kprintf("%s has been freed\n", name);
	return handle && handle->live ? handle : NULL;
}

/* Does not look at the block: its header may be damaged by now. */
static void print_handle(const struct handle *handle)
{
	kprintf("%s = 0x%08lx, %zu bytes", handle->name, (unsigned long)(uintptr_t)handle->ptr,
		handle->asked);
	if (handle->live)
		kprintf(" of %zu\n", handle->granted);
	else
		kprintf(", freed\n");
}

/* What came of a request. */
static bool received(struct handle *handle, void *ptr, size_t asked, struct changes *changes)
{
	if (ptr) {
		handle->ptr = ptr;
		handle->asked = asked;
		handle->granted = ksize(ptr);
		handle->live = true;
		print_handle(handle);
	} else {
		kprintf("NULL: not to be had\n");
	}
	changes_print(changes);
	return ptr != NULL;
}

/* What the arguments of a command ask for, and how many bytes that is. */
typedef void *request_fn(const uint32_t number[2], size_t *asked);

static bool allocate(const struct call *call, request_fn *take)
{
	const char *name = call->handle ? call->handle : made_up_name();
	struct handle *handle;
	struct changes changes;
	uint32_t number[2];
	size_t asked;
	void *ptr;

	for (size_t i = 0; i < call->n; i++)
		if (!command_number(call->argument[i], 0, UINT32_MAX, &number[i]))
			return false;
	handle = new_handle(name);
	if (!handle)
		return false;
	changes_begin(&changes);
	ptr = take(number, &asked);
	if (ptr)
		strlcpy(handle->name, name, sizeof(handle->name));
	return received(handle, ptr, asked, &changes);
}

static void *take_kmalloc(const uint32_t number[2], size_t *asked)
{
	*asked = number[0];
	return kmalloc(number[0]);
}

static void *take_kzalloc(const uint32_t number[2], size_t *asked)
{
	*asked = number[0];
	return kzalloc(number[0]);
}

static void *take_kcalloc(const uint32_t number[2], size_t *asked)
{
	*asked = number[0] * number[1];
	return kcalloc(number[0], number[1]);
}

static void *take_kmemalign(const uint32_t number[2], size_t *asked)
{
	*asked = number[1];
	return kmemalign(number[0], number[1]);
}

static bool command_kmalloc(const struct call *call)
{
	return allocate(call, take_kmalloc);
}

static bool command_kzalloc(const struct call *call)
{
	return allocate(call, take_kzalloc);
}

static bool command_kcalloc(const struct call *call)
{
	return allocate(call, take_kcalloc);
}

static bool command_kmemalign(const struct call *call)
{
	return allocate(call, take_kmemalign);
}

static bool command_krealloc(const struct call *call)
{
	struct handle *handle = live_handle(call->argument[0]);
	struct changes changes;
	uint32_t size;

	if (!handle || !command_number(call->argument[1], 0, UINT32_MAX, &size))
		return false;
	changes_begin(&changes);
	return received(handle, krealloc(handle->ptr, size), size, &changes);
}

static bool command_kfree(const struct call *call)
{
	struct handle *handle = live_handle(call->argument[0]);
	struct changes changes;

	if (!handle)
		return false;
	changes_begin(&changes);
	kfree(handle->ptr);
	handle->live = false;
	print_handle(handle);
	changes_print(&changes);
	return true;
}

static bool command_handles(const struct call *call)
{
	size_t n = 0;

	(void)call;
	for (size_t i = 0; i < HANDLES; i++) {
		if (!handles[i].name[0])
			continue;
		kprintf("  ");
		print_handle(&handles[i]);
		n++;
	}
	if (n == 0)
		kprintf("  none; p = kmalloc 100 makes one\n");
	return true;
}

/* Whether a person may write there without harm to anything but heaps and what is theirs. */
static bool may_write(uintptr_t address, uint32_t n)
{
	const struct brk *ranges[] = { &kernel_brk, sandbox_brk() };

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (address >= ranges[i]->base && address < ranges[i]->end &&
		    n <= ranges[i]->end - address)
			return true;
	kprintf("poke: 0x%08lx and %u bytes from there are neither in the heap, 0x%08lx to "
		"0x%08lx, "
		"nor below the break of sbrk, 0x%08lx to 0x%08lx\n",
		(unsigned long)address, n, (unsigned long)ranges[0]->base,
		(unsigned long)ranges[0]->end, (unsigned long)ranges[1]->base,
		(unsigned long)ranges[1]->end);
	return false;
}

static bool command_poke(const struct call *call)
{
	uint32_t byte, n = 1;
	struct heap_fault fault;
	unsigned char *at;
	uintptr_t address;

	if (!handles_address(call->argument[0], &address) ||
	    !command_number(call->argument[1], 0, 255, &byte) ||
	    (call->n > 2 && !command_number(call->argument[2], 1, UINT32_MAX, &n)) ||
	    !may_write(address, n))
		return false;
	at = (unsigned char *)address;
	kprintf("0x%08lx: 0x%02x", (unsigned long)address, *at);
	if (n > 1)
		kprintf(" and %u more", n - 1);
	kprintf(", now 0x%02x\n", byte);
	memset(at, (int)byte, n);
	if (!heap_check(&kernel_heap, &fault))
		kprintf("the heap is damaged: block 0x%08lx: %s\n",
			(unsigned long)(uintptr_t)fault.block, heap_fault_name(fault.kind));
	return true;
}

#define DETAILS_CHANGES                                                                            \
	"Shows what it changed in the heap: '-' before what was, '+' before what is.\n"

static const struct command commands[] = {
	{ "kmalloc", "SIZE", "a block of SIZE bytes, by a name",
	  "p = kmalloc 100 names it p; without a name it gets one.\n" DETAILS_CHANGES, 1, 1, true,
	  command_kmalloc },
	{ "kzalloc", "SIZE", "the same, cleared", DETAILS_CHANGES, 1, 1, true, command_kzalloc },
	{ "kcalloc", "N SIZE", "N times SIZE bytes, cleared",
	  "NULL if the product does not fit in 32 bits.\n" DETAILS_CHANGES, 2, 2, true,
	  command_kcalloc },
	{ "kmemalign", "ALIGN SIZE", "at a multiple of ALIGN, a power of two", DETAILS_CHANGES, 2,
	  2, true, command_kmemalign },
	{ "krealloc", "NAME SIZE", "make a block longer or shorter; it may move", DETAILS_CHANGES,
	  2, 2, false, command_krealloc },
	{ "kfree", "NAME", "give a block back",
	  "Only what has a name and is in use; for wrong pointers there is "
	  "fault.\n" DETAILS_CHANGES,
	  1, 1, false, command_kfree },
	{ "handles", "", "the names, and what they are of", NULL, 0, 0, false, command_handles },
	{ "poke", "ADDRESS BYTE [N]", "write a byte, or N times the same",
	  "ADDRESS is a number or a name, with +N or -N behind it: poke p+100 0.\n"
	  "Within the heap, headers included, and below the break of sbrk. What that\n"
	  "damages is found by check at once, and by the kernel when it gets there:\n"
	  "that is a panic, with a report, and the end of this session.\n",
	  2, 3, false, command_poke },
};

const struct command_group handle_commands = COMMAND_GROUP(commands);
