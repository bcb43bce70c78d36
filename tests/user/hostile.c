/* SPDX-License-Identifier: MIT */
/*
 * System calls at random, with whatever a kernel must not trust:
 *
 *	hostile [seed [count [safe|all [number not to call]...]]]
 *
 * Addresses: none, the kernel's, forbidden, wrapping, the last bytes of a page,
 * the program's own text, data and stack. Sizes: none, huge, negative. Numbers:
 * known and unknown. Flags and segments set oddly, the stack pointer pointing
 * nowhere. What comes back must be possible for that call, all registers but
 * eax must be as before, and where a bad pointer was refused nothing may have
 * been written.
 *
 * "all" is for the kernel this is made for, which knows the calls in the table
 * at the end and no other; input must be at its end, or there must be none.
 * "safe" is for Linux: only what can do no harm there. Neither ends the program
 * or takes away what it stands on.
 */
#include "tests/user/raw_call.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE	     4096U
#define LOWEST	     0x10000U
#define STACK_ROOM   (8U << 20) /* below the end of user space, it is left as it is */
#define TO_COPY	     65536U	/* what a call may be asked to copy at most, if it can */
#define AREAS	     8
#define EXCLUDED     16
#define FAILURES     10
#define ERROR_LAST   4095
#define ERROR_BIT(n) ((uint64_t)1 << (n))

extern const char __executable_start[], etext[], end[];

/*
 * The pages that calls are pointed at:
 *
 *	| forbidden | writable | forbidden | read-only | forbidden |
 *
 * Of the writable one only the ends are, and they are filled with WITNESS.
 */
#define ENDS	256U
#define WITNESS 0x5A
static unsigned char *writable, *read_only;

static bool all; /* on the kernel this is made for */
static uint32_t user_end;
static uint32_t random_state, seed, break_base, break_now, process;
static uint32_t excluded[EXCLUDED];
static size_t excluded_count;
static struct area {
	uint32_t start, length;
} areas[AREAS];
static bool parts_have_bytes; /* those of the last writev() */
static unsigned long calls, failures, refused;

/* Marsaglia's xorshift. */
static uint32_t random_word(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

static uint32_t below(uint32_t n)
{
	return random_word() % n;
}

static uint32_t one_of(const uint32_t *words, size_t n)
{
	return words[below((uint32_t)n)];
}

#define ONE_OF(...)                                                                                \
	one_of((const uint32_t[]){ __VA_ARGS__ },                                                  \
	       sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

/* Addresses */

static uint32_t in_page(const unsigned char *page)
{
	uint32_t at = (uint32_t)(uintptr_t)page;

	switch (below(4)) {
	case 0:
		return at + PAGE - 1 - below(16); /* too near to the end */
	case 1:
		return at + PAGE - ENDS + below(ENDS);
	default:
		return at + below(ENDS);
	}
}

/* Where nothing can be read nor written, from its first byte on. */
static uint32_t bad_address(void)
{
	switch (below(5)) {
	case 0:
		return below(LOWEST);
	case 1:
		return (uint32_t)(uintptr_t)writable + PAGE + below(PAGE);
	case 2:
		return (uint32_t)(uintptr_t)writable - 1 - below(PAGE);
	case 3:
		return ONE_OF(0, 1, PAGE, user_end, user_end + 1, user_end + 0x100000, 0xD0000000,
			      0xFFC00000, 0xFFFFF000, 0xFFFFFFFC, 0xFFFFFFFF);
	default:
		return user_end + below(-user_end);
	}
}

/* Where the kernel may write without harm, if it finds that it can. */
static uint32_t target(void)
{
	switch (below(6)) {
	case 0:
	case 1:
		return bad_address();
	case 2:
		return in_page(read_only);
	case 3:
		return (uint32_t)(uintptr_t)__executable_start + below(PAGE);
	default:
		return in_page(writable);
	}
}

/* Where it may read: anywhere. */
static uint32_t source(void)
{
	switch (below(6)) {
	case 0:
		return (uint32_t)(uintptr_t)__builtin_frame_address(0) + below(64);
	case 1:
		return (uint32_t)(uintptr_t)&areas + below(64);
	case 2:
		return break_now - PAGE + below(2 * PAGE);
	default:
		return target();
	}
}

/* Any place for pages. */
static uint32_t place(void)
{
	uint32_t at;

	switch (below(6)) {
	case 0:
		return bad_address();
	case 1:
		at = break_now + below(16 * PAGE);
		break;
	case 2:
		at = areas[below(AREAS)].start + below(4) * PAGE;
		break;
	case 3:
		at = (uint32_t)(uintptr_t)writable + (below(8) - 4) * PAGE;
		break;
	case 4:
		return random_word();
	default:
		at = random_word();
	}
	return at & ~(PAGE - 1);
}

static uint32_t size(void)
{
	switch (below(4)) {
	case 0:
		return below(64);
	case 1:
		return below(8) * PAGE + below(3) - 1;
	case 2:
		return random_word() >> below(32);
	default:
		return ONE_OF(0, 1, PAGE, 0x7FFFFFFF, 0x7FFFF000, 0x80000000, 0xBFFF0000,
			      0xC0000000, 0xFFFFF000, 0xFFFFF001, 0xFFFFFFFF);
	}
}

/* None that is open; on Linux whoever started the program may have left some so. */
static uint32_t descriptor(void)
{
	if (all && below(2))
		return 3 + below(64);
	return ONE_OF(-1U, -2U, 1000, 1024, 0x7FFFFFFF, 0x80000000, random_word() | 0x100000);
}

/* Whether some byte of it surely cannot be used. */
static bool is_bad(uint32_t at, uint32_t n)
{
	uint64_t last = (uint64_t)at + n;
	uint32_t low = (uint32_t)(uintptr_t)writable, high = low + PAGE;

	if (n == 0)
		return false;
	return at < LOWEST || last > user_end || (at < low && last > low - PAGE) ||
	       (at < high + PAGE && last > high && at >= low);
}

/* Whether pages are some that the program stands on, however they are rounded. */
static bool is_own(uint32_t at, uint32_t length)
{
	uint64_t first = at & ~(PAGE - 1), last = (uint64_t)at + length + PAGE;
	uint32_t image = (uint32_t)(uintptr_t)__executable_start,
		 image_end = (uint32_t)(uintptr_t)end;
	uint32_t pages = (uint32_t)(uintptr_t)writable - PAGE;

	return (first < image_end && last > image) || last > user_end - STACK_ROOM ||
	       (first < pages + 5 * PAGE && last > pages);
}

/* Whether the pages are all in one area that was mapped for this. */
static bool is_in_area(uint32_t at, uint32_t length)
{
	for (size_t i = 0; i < AREAS; i++)
		if (at >= areas[i].start && length <= areas[i].length &&
		    at - areas[i].start <= areas[i].length - length)
			return true;
	return false;
}

/* Whether pages may be changed: not to be refused, but none of our own. */
static bool is_harmless(uint32_t at, uint32_t length)
{
	if (at % PAGE != 0 || length == 0)
		return true;
	if (!all)
		return is_in_area(at, length);
	return !is_own(at, length) || (uint64_t)at + length > user_end;
}

/* Calls: each sets its arguments, and says afterwards whether such a result is possible. */

static bool failed_by(int32_t result, uint64_t errors)
{
	return result < 0 && result >= -63 && (errors & ERROR_BIT(-result));
}

static bool set_read(struct raw_call *call)
{
	call->ebx = all && below(2) ? 0 : descriptor();
	call->ecx = target();
	call->edx = size();
	return call->edx <= TO_COPY || is_bad(call->ecx, 1);
}

static bool possible_read(const struct raw_call *call, int32_t result)
{
	if (call->ebx != 0)
		return result == -EBADF;
	if (is_bad(call->ecx, call->edx))
		return failed_by(result, ERROR_BIT(EFAULT) | ERROR_BIT(EINVAL));
	return result == -EFAULT || (result >= 0 && (uint32_t)result <= call->edx);
}

/* To the outputs there are, only what cannot be printed. */
static bool set_write(struct raw_call *call)
{
	bool prints = all && below(2);

	call->ebx = prints ? 1 + below(2) : descriptor();
	call->ecx = source();
	call->edx = size();
	return !prints || call->edx == 0 || is_bad(call->ecx, call->edx);
}

static bool possible_write(const struct raw_call *call, int32_t result)
{
	if (call->ebx != 1 && call->ebx != 2)
		return result == -EBADF;
	if (call->edx == 0)
		return result == 0 || result == -EFAULT;
	return failed_by(result, ERROR_BIT(EFAULT) | ERROR_BIT(EINVAL));
}

/* The parts are in the writable page, or where there can be none. */
static bool set_writev(struct raw_call *call)
{
	uint32_t parts[4][2];

	call->ebx = below(2) ? 1 : descriptor();
	call->edx = below(2) ? below(5) : size();
	call->ecx = bad_address();
	parts_have_bytes = call->edx > 0;
	if (call->edx > 4 || below(4) == 0)
		return true;
	parts_have_bytes = false;
	for (size_t i = 0; i < 4; i++) {
		parts[i][0] = bad_address();
		parts[i][1] = below(2) ? 0 : 1 + below(ENDS);
		parts_have_bytes |= i < call->edx && parts[i][1] > 0;
	}
	memcpy(writable, parts, sizeof(parts));
	call->ecx = (uint32_t)(uintptr_t)writable;
	return true;
}

static bool possible_writev(const struct raw_call *call, int32_t result)
{
	if (call->ebx != 1)
		return failed_by(result, ERROR_BIT(EBADF) | ERROR_BIT(EFAULT) | ERROR_BIT(EINVAL));
	if (result == 0)
		return !parts_have_bytes;
	return failed_by(result, ERROR_BIT(EFAULT) | ERROR_BIT(EINVAL));
}

static bool set_readv(struct raw_call *call)
{
	set_writev(call);
	call->ebx = below(2) ? 0 : descriptor();
	return true;
}

static bool possible_readv(const struct raw_call *call, int32_t result)
{
	if (call->ebx != 0)
		return result == -EBADF;
	if (result == 0)
		return !parts_have_bytes;
	return failed_by(result, ERROR_BIT(EFAULT) | ERROR_BIT(EINVAL));
}

static bool set_brk(struct raw_call *call)
{
	call->ebx = below(2) ? break_now + below(64 * PAGE) - 32 * PAGE : place();
	return all || call->ebx < break_base + (8U << 20);
}

static bool possible_brk(const struct raw_call *call, int32_t result)
{
	uint32_t at = (uint32_t)result, before = break_now;

	break_now = at;
	return at == before || (at == call->ebx && at >= break_base && at < user_end);
}

static bool set_mmap2(struct raw_call *call)
{
	call->ebx = below(2) ? 0 : place();
	call->ecx = all ? size() : below(16 * PAGE);
	call->edx = all && below(4) == 0 ? random_word() : below(8);
	call->esi = (below(4) ? MAP_PRIVATE : below(4)) | (below(4) ? MAP_ANONYMOUS : 0) |
		    (below(2) ? MAP_FIXED : 0);
	if (all && below(8) == 0)
		call->esi ^= 1U << below(32);
	call->edi = below(4) ? -1U : descriptor();
	call->ebp = below(4) ? 0 : random_word();
	return !(call->esi & MAP_FIXED) || is_harmless(call->ebx, call->ecx);
}

static bool possible_mmap2(const struct raw_call *call, int32_t result)
{
	uint32_t at = (uint32_t)result, length = (call->ecx + PAGE - 1) & ~(PAGE - 1);
	struct area *area = &areas[below(AREAS)];

	if (at >= -(uint32_t)ERROR_LAST)
		return failed_by(result, ERROR_BIT(EPERM) | ERROR_BIT(EBADF) | ERROR_BIT(ENOMEM) |
						 ERROR_BIT(EEXIST) | ERROR_BIT(ENODEV) |
						 ERROR_BIT(EINVAL));
	if (at % PAGE != 0 || length == 0 || (all && (uint64_t)at + length > user_end))
		return false;
	if ((call->esi & MAP_FIXED) ? at != call->ebx : all && is_own(at, length - PAGE))
		return false;
	if (area->length > 0)
		munmap((void *)(uintptr_t)area->start, area->length);
	*area = (struct area){ at, length };
	return true;
}

static bool set_munmap(struct raw_call *call)
{
	call->ebx = place();
	call->ecx = size();
	return is_harmless(call->ebx, call->ecx);
}

static bool possible_munmap(const struct raw_call *call, int32_t result)
{
	if (call->ebx % PAGE != 0 || call->ecx == 0 || (uint64_t)call->ebx + call->ecx > user_end)
		return all ? result == -EINVAL : failed_by(result, ERROR_BIT(EINVAL));
	return result == 0 || failed_by(result, ERROR_BIT(ENOMEM) | ERROR_BIT(EINVAL));
}

static bool set_mprotect(struct raw_call *call)
{
	call->ebx = place();
	call->ecx = size();
	call->edx = below(4) ? below(8) : random_word();
	return is_harmless(call->ebx, call->ecx);
}

static bool possible_mprotect(const struct raw_call *call, int32_t result)
{
	(void)call;
	return result == 0 || failed_by(result, ERROR_BIT(ENOMEM) | ERROR_BIT(EINVAL));
}

/* A descriptor for a segment at random, in the writable page, or none. */
static bool set_thread_area(struct raw_call *call)
{
	uint32_t area[4] = { below(4) ? -1U : below(16), random_word(), random_word(), below(128) };

	call->ebx = target();
	if (below(2) && !is_bad(call->ebx, sizeof(area)) &&
	    call->ebx - (uint32_t)(uintptr_t)writable < PAGE)
		memcpy((void *)(uintptr_t)call->ebx, area, sizeof(area));
	return true;
}

static bool possible_thread_area(const struct raw_call *call, int32_t result)
{
	if (is_bad(call->ebx, 16))
		return result == -EFAULT;
	return result == 0 ||
	       failed_by(result, ERROR_BIT(ESRCH) | ERROR_BIT(EFAULT) | ERROR_BIT(EINVAL));
}

static bool set_tid_address(struct raw_call *call)
{
	call->ebx = target();
	return true;
}

static bool set_nothing(struct raw_call *call)
{
	(void)call;
	return true;
}

static bool possible_process(const struct raw_call *call, int32_t result)
{
	(void)call;
	return (uint32_t)result == process;
}

static bool set_ioctl(struct raw_call *call)
{
	call->ebx = below(2) ? below(3) : descriptor();
	call->ecx = below(2) ? 0x5400 + below(128) : random_word();
	call->edx = target();
	return true;
}

static bool possible_ioctl(const struct raw_call *call, int32_t result)
{
	if (call->ebx >= 3)
		return result == -EBADF;
	return failed_by(result, ERROR_BIT(ENOTTY) | ERROR_BIT(EFAULT) | ERROR_BIT(EINVAL));
}

static bool set_clock(struct raw_call *call)
{
	call->ebx = below(2) ? below(12) : random_word();
	call->ecx = target();
	return true;
}

static bool possible_clock(const struct raw_call *call, int32_t result)
{
	if (result == 0)
		return !is_bad(call->ecx, 8);
	return failed_by(result, ERROR_BIT(EFAULT) | ERROR_BIT(EINVAL));
}

/* None that is open: the others are still needed. */
static bool set_close(struct raw_call *call)
{
	call->ebx = descriptor();
	return true;
}

static bool possible_close(const struct raw_call *call, int32_t result)
{
	(void)call;
	return result == -EBADF;
}

static bool set_open(struct raw_call *call)
{
	bool at = call->eax == SYS_openat;

	call->ebx = at ? random_word() : source();
	call->ecx = at ? source() : random_word();
	call->edx = random_word();
	return true;
}

static bool possible_open(const struct raw_call *call, int32_t result)
{
	uint32_t name = call->eax == SYS_openat ? call->ecx : call->ebx;

	if (is_bad(name, 1))
		return result == -EFAULT;
	return failed_by(result, ERROR_BIT(ENOENT) | ERROR_BIT(EROFS) | ERROR_BIT(EFAULT) |
					 ERROR_BIT(ENAMETOOLONG));
}

/* Of a file what it is, by its number; or by a name, which is none. */
static bool set_stat(struct raw_call *call)
{
	call->ebx = below(2) ? below(3) : descriptor();
	call->ecx = call->eax == SYS_statx ? source() : target();
	call->edx = below(2) ? 0x1000 : random_word();
	call->edi = target();
	return true;
}

static bool possible_stat(const struct raw_call *call, int32_t result)
{
	bool by_name = call->eax == SYS_statx;

	if (result == 0)
		return call->ebx < 3 &&
		       !is_bad(by_name ? call->edi : call->ecx, by_name ? 256 : 96);
	return failed_by(result,
			 ERROR_BIT(EFAULT) | ERROR_BIT(EBADF) |
				 (by_name ? ERROR_BIT(ENOENT) | ERROR_BIT(ENAMETOOLONG) : 0));
}

static bool possible_seek(const struct raw_call *call, int32_t result)
{
	return result == (call->ebx < 3 ? -ESPIPE : -EBADF);
}

/* To anybody but itself, which would be its end. */
static bool set_kill(struct raw_call *call)
{
	call->ebx = below(2) ? below(100) : random_word();
	call->ecx = below(2) ? below(100) : random_word();
	call->edx = below(100);
	return call->ebx != 0 && call->ebx != process;
}

static bool possible_kill(const struct raw_call *call, int32_t result)
{
	(void)call;
	return failed_by(result, ERROR_BIT(ESRCH) | ERROR_BIT(EINVAL));
}

static bool set_unknown(struct raw_call *call)
{
	call->ebx = source();
	call->ecx = source();
	call->edx = size();
	return true;
}

static bool possible_unknown(const struct raw_call *call, int32_t result)
{
	(void)call;
	return result == -ENOSYS;
}

/* What each call is like. The last is for all others. */
static const struct kind {
	uint32_t number;
	bool safe;
	bool (*set)(struct raw_call *call);
	bool (*possible)(const struct raw_call *call, int32_t result);
} kinds[] = {
	{ SYS_read, true, set_read, possible_read },
	{ SYS_write, true, set_write, possible_write },
	{ SYS_writev, false, set_writev, possible_writev },
	{ SYS_readv, false, set_readv, possible_readv },
	{ SYS_brk, true, set_brk, possible_brk },
	{ SYS_mmap2, true, set_mmap2, possible_mmap2 },
	{ SYS_munmap, true, set_munmap, possible_munmap },
	{ SYS_mprotect, true, set_mprotect, possible_mprotect },
	{ SYS_set_thread_area, true, set_thread_area, possible_thread_area },
	{ SYS_set_tid_address, true, set_tid_address, possible_process },
	{ SYS_getpid, true, set_nothing, possible_process },
	{ SYS_gettid, true, set_nothing, possible_process },
	{ SYS_ioctl, false, set_ioctl, possible_ioctl },
	{ SYS_clock_gettime, true, set_clock, possible_clock },
	{ SYS_close, false, set_close, possible_close },
	{ SYS_open, false, set_open, possible_open },
	{ SYS_openat, false, set_open, possible_open },
	{ SYS_fstat64, false, set_stat, possible_stat },
	{ SYS_statx, false, set_stat, possible_stat },
	{ SYS_lseek, false, set_ioctl, possible_seek },
	{ SYS__llseek, false, set_ioctl, possible_seek },
	{ SYS_kill, false, set_kill, possible_kill },
	{ SYS_tkill, false, set_kill, possible_kill },
	{ SYS_tgkill, false, set_kill, possible_kill },
	{ 0, true, set_unknown, possible_unknown },
};

#define KNOWN (sizeof(kinds) / sizeof(kinds[0]) - 1)

/* Drawing a call, making it, judging it */

static const struct kind *kind_of(uint32_t number)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (kinds[i].number == number)
			return &kinds[i];
	return &kinds[KNOWN];
}

static bool is_excluded(uint32_t number)
{
	for (size_t i = 0; i < excluded_count; i++)
		if (excluded[i] == number)
			return true;
	return number == SYS_exit || number == SYS_exit_group;
}

static uint32_t unknown_number(void)
{
	if (!all)
		return ONE_OF(-1U, 0x7FFFFFFF, 0x80000000, 10000 + below(1U << 24));
	return below(2) ? below(512) : random_word();
}

/* A call is drawn again until it is one that may be made. */
static const struct kind *draw(struct raw_call *call)
{
	const struct kind *kind;

	do {
		uint32_t number = below(4) ? kinds[below(KNOWN)].number : unknown_number();

		*call = (struct raw_call){ random_word(),
					   random_word(),
					   random_word(),
					   random_word(),
					   random_word(),
					   random_word(),
					   random_word(),
					   0,
					   0,
					   0 };
		call->eax = number;
		kind = kind_of(number);
	} while (is_excluded(call->eax) || (!all && !kind->safe) || !kind->set(call));
	if (below(4) == 0)
		call->esp = ONE_OF(4, 0xFFFFFFFF, user_end + below(PAGE), random_word() | 1);
	if (below(2) == 0)
		call->flags = random_word() & FLAGS;
	if (below(2) == 0)
		__asm__("movl %%ds, %0" : "=r"(call->segment));
	return kind;
}

static void fill_witness(void)
{
	memset(writable, WITNESS, ENDS);
	memset(writable + PAGE - ENDS, WITNESS, ENDS);
}

static bool kept_registers(const struct raw_call *a, const struct raw_call *b)
{
	return a->ebx == b->ebx && a->ecx == b->ecx && a->edx == b->edx && a->esi == b->esi &&
	       a->edi == b->edi && a->ebp == b->ebp && a->esp == b->esp && a->flags == b->flags &&
	       a->segment == b->segment;
}

static void complain(const struct raw_call *call, int32_t result, const char *what)
{
	failures++;
	printf("# seed %u, call %lu: %d(0x%08x, 0x%08x, 0x%08x, 0x%08x, 0x%08x, 0x%08x) = %d: %s\n",
	       (unsigned int)seed, calls, (int)call->eax, (unsigned int)call->ebx,
	       (unsigned int)call->ecx, (unsigned int)call->edx, (unsigned int)call->esi,
	       (unsigned int)call->edi, (unsigned int)call->ebp, (int)result, what);
}

static void call_once(void)
{
	struct raw_call before, after;
	const struct kind *kind;
	unsigned char was[2 * ENDS];
	int32_t result;

	fill_witness();
	kind = draw(&before);
	memcpy(was, writable, ENDS);
	memcpy(was + ENDS, writable + PAGE - ENDS, ENDS);
	after = before;
	raw_call(&after);
	result = (int32_t)after.eax;
	refused += result < 0 && result >= -ERROR_LAST;
	if (!kept_registers(&before, &after))
		complain(&before, result, "registers have changed");
	if (!kind->possible(&before, result))
		complain(&before, result, "not possible");
	if (all && result == -EFAULT &&
	    (memcmp(was, writable, ENDS) || memcmp(was + ENDS, writable + PAGE - ENDS, ENDS)))
		complain(&before, result, "and yet something was written");
}

/* The program's text, as one number. */
static uint32_t sum_of_image(void)
{
	size_t size = (uintptr_t)etext - (uintptr_t)__executable_start;
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (sum << 5 | sum >> 27) ^ (unsigned char)__executable_start[i];
	return sum;
}

/*
 * A segment is set up, loaded into gs and taken away, and the kernel has to
 * come back to the program all the same, from calls and from interrupts.
 */
static void take_away_a_segment(void)
{
	uint32_t area[4] = { -1U, (uint32_t)(uintptr_t)writable, 0xFFFFF, 0x51 }, found;

	writable[0] = 99;
	if (syscall(SYS_set_thread_area, area) != 0) {
		puts("# there is no segment to be had");
		failures++;
		return;
	}
	__asm__ volatile("movl %1, %%gs; movl %%gs:0, %0" : "=r"(found) : "r"(area[0] * 8 + 3));
	failures += (found & 0xFF) != 99;
	area[1] = area[2] = 0;
	area[3] = 0x28;
	failures += syscall(SYS_set_thread_area, area) != 0;
	for (int i = 0; i < 1000; i++)
		failures += getpid() != (pid_t)process;
	for (volatile int i = 0; i < 10000000; i++)
		;
	__asm__ volatile("movl %0, %%gs" : : "r"(0));
}

static unsigned char *map_pages(void)
{
	unsigned char *at = mmap(NULL, 5 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mprotect(at + PAGE, PAGE, PROT_READ | PROT_WRITE) != 0 ||
	    mprotect(at + 3 * PAGE, PAGE, PROT_READ) != 0) {
		puts("Bail out! no pages");
		exit(EXIT_FAILURE);
	}
	return at;
}

static void set_up(int argc, char **argv)
{
	seed = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 1;
	random_state = seed ? seed : 1;
	all = argc > 3 && strcmp(argv[3], "all") == 0;
	user_end = all ? 0xC0000000 : 0xFFFFE000;
	for (int i = 4; i < argc && excluded_count < EXCLUDED; i++)
		excluded[excluded_count++] = (uint32_t)strtoul(argv[i], NULL, 0);
	process = (uint32_t)getpid();
	break_base = break_now = (uint32_t)(uintptr_t)sbrk(0);
	writable = map_pages() + PAGE;
	read_only = writable + 2 * PAGE;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 0) : 100000;
	uint32_t image = sum_of_image();

	set_up(argc, argv);
	puts("1..1");
	take_away_a_segment();
	for (calls = 0; calls < count && failures < FAILURES; calls++)
		call_once();
	if (sum_of_image() != image) {
		puts("# the program's text is not what it was");
		failures++;
	}
	printf("%sok 1 - hostile, seed %u: %lu calls, %lu refused\n", failures ? "not " : "",
	       (unsigned int)seed, calls, refused);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
