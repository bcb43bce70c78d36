/* SPDX-License-Identifier: MIT */
/* Reading traces: the legal are read as written, the damaged refused, and with the right reason. */
#include "kernel/monitor/trace.h"
#include "tap.h"

#include <string.h>

#define HEADER	   16
#define MOST_BYTES (1 << 20)
#define ROUNDS	   100000U

static uint32_t state = 1;

static uint32_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* A trace as it is built. */
static uint8_t bytes[MOST_BYTES];
static size_t length;
static uint32_t operations;

static void put_word(uint8_t *to, uint32_t word)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(word >> 8 * i);
}

static void begin(void)
{
	memcpy(bytes, "FPT1", 4);
	length = HEADER;
	operations = 0;
}

static void put_number(uint32_t number)
{
	TAP_MUST(length + 5 <= MOST_BYTES);
	for (; number > 127; number >>= 7)
		bytes[length++] = (uint8_t)(number | 128);
	bytes[length++] = (uint8_t)number;
}

static void put_head(uint32_t kind, uint32_t slot)
{
	put_number(slot << 3 | kind);
	operations++;
}

static void put(uint32_t kind, uint32_t slot, uint32_t size)
{
	put_head(kind, slot);
	if (kind == TRACE_ALIGNED)
		put_number(4);
	if (kind != TRACE_FREE)
		put_number(size);
}

static void put_bytes(const char *raw, size_t n)
{
	memcpy(bytes + length, raw, n);
	length += n;
}

static void end(uint32_t slots)
{
	put_word(bytes + 4, operations);
	put_word(bytes + 8, slots);
	put_word(bytes + 12, (uint32_t)(length - HEADER));
}

/* A copy that ends where its memory does, so that reading beyond is caught. */
static const char *open_copy(struct trace *trace, const uint8_t *from, size_t n)
{
	static uint8_t *copy;

	free(copy);
	copy = malloc(n ? n : 1);
	TAP_MUST(copy);
	memcpy(copy, from, n);
	return trace_open(trace, copy, n);
}

static void accepts(const char *name)
{
	struct trace trace;
	const char *reason = open_copy(&trace, bytes, length);

	if (!tap_ok(!reason && trace.operations == operations, name))
		printf("# refused: %s\n", reason ? reason : "not at all");
}

static void refuses(const char *expected, const char *name)
{
	struct trace trace;
	const char *reason = open_copy(&trace, bytes, length);

	if (!tap_ok(reason && !strcmp(reason, expected), name))
		printf("# expected: %s; found: %s\n", expected, reason ? reason : "accepted");
}

/* A legal trace with every kind of operation. */
static void small_trace(void)
{
	begin();
	put(TRACE_ALLOC, 0, 100);
	put(TRACE_ZALLOC, 1, 100000);
	put(TRACE_ALIGNED, 40, 0);
	put(TRACE_REALLOC, 0, 20);
	put(TRACE_FREE, 1, 0);
	put(TRACE_ALLOC, 1, TRACE_MAX_SIZE);
	end(41);
}

static void test_whole_file(void)
{
	struct trace trace;

	small_trace();
	accepts("a trace of every kind of operation is read");
	begin();
	end(0);
	accepts("a trace of no operations is one");
	small_trace();
	bytes[3] = '2';
	refuses("no trace", "another version is no trace");
	memcpy(bytes, "\x1f\x8b\x08\x00", 4);
	refuses("no trace, but a compressed file", "a file packed by gzip is named as that");
	length = 2;
	refuses("no trace, but a compressed file", "by its first two bytes");
	length = 1;
	refuses("no trace", "one byte is no trace");
	length = 0;
	refuses("no trace", "an empty file is no trace");
	tap_ok(trace_open(&trace, NULL, 0) != NULL, "nor is nothing at all");
	small_trace();
	bytes[length++] = 0;
	refuses("damaged: longer than its header says", "a byte behind the end is refused");
}

static void test_truncated(void)
{
	bool cut = true, short_body = true;
	struct trace trace;

	small_trace();
	for (size_t n = 0; n < length; n++) {
		const char *reason = open_copy(&trace, bytes, n);

		cut &= reason && !strcmp(reason, n < 4 ? "no trace" : "truncated");
	}
	tap_ok(cut, "a trace cut at any byte is truncated");
	for (size_t n = HEADER; n < length; n++) {
		put_word(bytes + 12, (uint32_t)(n - HEADER));
		short_body &= open_copy(&trace, bytes, n) != NULL;
	}
	tap_ok(short_body, "and refused too if its header agrees with the cut");
	put_word(bytes + 12, UINT32_MAX);
	refuses("truncated", "a body of 4 GiB is not there");
}

static void test_kinds(void)
{
	bool refused = true;
	struct trace trace;

	for (uint32_t kind = TRACE_KINDS; kind < 8; kind++) {
		const char *reason;

		begin();
		put(kind, 0, 8);
		end(1);
		reason = open_copy(&trace, bytes, length);
		refused &= reason && !strcmp(reason, "damaged: an unknown operation");
	}
	tap_ok(refused, "kinds 5 to 7 are refused");
}

static void test_slots(void)
{
	begin();
	put(TRACE_ALLOC, 9, 8);
	end(10);
	accepts("the last slot can be used");
	end(9);
	refuses("damaged: a slot beyond the last", "one beyond it is refused");
	begin();
	put(TRACE_ALLOC, UINT32_MAX >> 3, 8);
	end(TRACE_MAX_SLOTS);
	refuses("damaged: a slot beyond the last", "so is the largest there could be");
	begin();
	put(TRACE_ALLOC, TRACE_MAX_SLOTS - 1, 8);
	put(TRACE_ALLOC, 0, 8);
	put(TRACE_FREE, TRACE_MAX_SLOTS - 1, 0);
	end(TRACE_MAX_SLOTS);
	accepts("as many slots as are allowed can be used");
}

/* Allocates slot 3, then does something with another one, and with it. */
static void do_twice(uint32_t kind, uint32_t slot)
{
	begin();
	put(TRACE_ALLOC, 3, 8);
	put(kind, slot, 8);
	end(64);
}

static void test_slot_states(void)
{
	static const char has[] = "damaged: it allocates a block that it has";
	static const char has_not[] = "damaged: it uses a block that it does not have";
	static const char *const names[] = { "ALLOC", "ZALLOC", "ALIGNED", "REALLOC", "FREE" };
	char text[80];

	for (uint32_t kind = 0; kind < TRACE_KINDS; kind++) {
		bool allocates = kind < TRACE_REALLOC;

		do_twice(kind, allocates ? 35 : 3);
		snprintf(text, sizeof(text), "%s of %s slot is read", names[kind],
			 allocates ? "an empty" : "a used");
		accepts(text);
		do_twice(kind, allocates ? 3 : 35);
		snprintf(text, sizeof(text), "%s of %s slot is refused", names[kind],
			 allocates ? "a used" : "an empty");
		refuses(allocates ? has : has_not, text);
	}
	begin();
	put(TRACE_ALLOC, 3, 8);
	put(TRACE_FREE, 3, 0);
	put(TRACE_FREE, 3, 0);
	end(4);
	refuses(has_not, "a slot freed twice is refused");
	begin();
	put(TRACE_ALLOC, 3, 8);
	put(TRACE_REALLOC, 3, 0);
	put(TRACE_FREE, 3, 0);
	end(4);
	accepts("a REALLOC to 0 leaves the slot in use");
	do_twice(TRACE_ALLOC, 4);
	accepts("what one trace has used is empty in the next");
}

static void test_arguments(void)
{
	begin();
	put_head(TRACE_ALIGNED, 0);
	put_number(TRACE_MAX_ALIGN_SHIFT);
	put_number(8);
	end(1);
	accepts("an alignment of a page is read");
	bytes[HEADER + 1]++;
	refuses("damaged: an alignment beyond a page", "a larger one is refused");
	bytes[HEADER + 1] = 32;
	refuses("damaged: an alignment beyond a page", "one beyond 32 bits as well");
	begin();
	put(TRACE_ALLOC, 0, TRACE_MAX_SIZE);
	end(1);
	accepts("a size just below 2^31 is read");
	begin();
	put(TRACE_ALLOC, 0, TRACE_MAX_SIZE + 1);
	end(1);
	refuses("damaged: an impossible size", "2^31 is refused");
	begin();
	put(TRACE_ALLOC, 0, UINT32_MAX);
	end(1);
	refuses("damaged: an impossible size", "so is the largest number");
}

/* One operation whose size is these bytes. */
static void raw_size(const char *raw, size_t n)
{
	begin();
	put_head(TRACE_ALLOC, 0);
	put_bytes(raw, n);
	end(1);
}

static void test_numbers(void)
{
	struct trace trace;
	struct trace_op op;

	raw_size("\x85\x80\x80\x80\x00", 5);
	accepts("a number need not have the shortest form");
	tap_ok(!open_copy(&trace, bytes, length) && !trace_next(&trace, &op) && op.size == 5,
	       "and means the same");
	raw_size("\xFF\xFF\xFF\xFF\x07", 5);
	accepts("a number may take five bytes");
	raw_size("\xFF\xFF\xFF\xFF\x10", 5);
	refuses("damaged: a size ends early", "one beyond 32 bits is refused");
	raw_size("\x80\x80\x80\x80\x80\x00", 6);
	refuses("damaged: a size ends early", "one of six bytes is refused");
	raw_size("\x80\x80", 2);
	refuses("damaged: a size ends early", "one without an end is refused");
	raw_size("", 0);
	refuses("damaged: a size ends early", "one that is not there is refused");
	begin();
	put_head(TRACE_ALIGNED, 0);
	end(1);
	refuses("damaged: an alignment ends early", "so is an alignment");
	begin();
	put_bytes("\x80", 1);
	operations = 1;
	end(1);
	refuses("damaged: an operation ends early", "and an operation");
}

static void test_header_numbers(void)
{
	small_trace();
	operations--;
	end(41);
	refuses("damaged: more operations than its header says",
		"an operation too many is refused");
	operations += 2;
	end(41);
	refuses("damaged: an operation ends early", "an operation too few is refused");
	begin();
	operations = TRACE_MAX_OPERATIONS + 1;
	end(1);
	refuses("too large", "more operations than are allowed are refused");
	operations = UINT32_MAX;
	end(1);
	refuses("too large", "so is the largest number of them");
	operations = 0;
	end(TRACE_MAX_SLOTS);
	accepts("as many slots as are allowed are accepted");
	end(TRACE_MAX_SLOTS + 1);
	refuses("too large", "one more is refused");
	end(UINT32_MAX);
	refuses("too large", "so is the largest number of slots");
}

/* Operations at random, and reading them again. */

#define MOST_OPERATIONS 4000
#define SLOTS		500

static struct trace_op written[MOST_OPERATIONS];

static struct trace_op random_op(bool *used)
{
	static const enum trace_kind kinds[2][3] = {
		{ TRACE_ALLOC, TRACE_ZALLOC, TRACE_ALIGNED },
		{ TRACE_REALLOC, TRACE_FREE, TRACE_FREE },
	};
	struct trace_op op = { .slot = next_random() % SLOTS, .align = 1 };

	op.kind = kinds[used[op.slot]][next_random() % 3];
	used[op.slot] = op.kind != TRACE_FREE;
	if (op.kind != TRACE_FREE)
		op.size = next_random() >> (1 + next_random() % 31);
	if (op.kind == TRACE_ALIGNED)
		op.align = 1U << next_random() % (TRACE_MAX_ALIGN_SHIFT + 1);
	return op;
}

static void write_at_random(uint32_t n)
{
	bool used[SLOTS] = { false };

	begin();
	for (uint32_t i = 0; i < n; i++) {
		struct trace_op op = random_op(used);

		written[i] = op;
		put_head(op.kind, op.slot);
		if (op.kind == TRACE_ALIGNED)
			put_number((uint32_t)__builtin_ctz(op.align));
		if (op.kind != TRACE_FREE)
			put_number(op.size);
	}
	end(SLOTS);
}

static bool reads_the_same(uint32_t n)
{
	struct trace trace;
	struct trace_op op;

	if (open_copy(&trace, bytes, length) || trace.operations != n || trace.slots != SLOTS)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (trace_next(&trace, &op) || op.kind != written[i].kind ||
		    op.slot != written[i].slot || op.size != written[i].size ||
		    op.align != written[i].align)
			return false;
	return trace_next(&trace, &op) != NULL;
}

static void test_round_trip(void)
{
	bool same = true;

	for (int round = 0; round < 200; round++) {
		uint32_t n = next_random() % (MOST_OPERATIONS + 1);

		write_at_random(n);
		same &= reads_the_same(n);
	}
	tap_ok(same, "operations written at random are read as they were written, and no more");
}

/* What is opened must be readable to its end, and nothing may crash. */
static bool keeps_its_promise(size_t n)
{
	struct trace trace;
	struct trace_op op;

	if (open_copy(&trace, bytes, n))
		return false;
	for (uint32_t i = 0; i < trace.operations; i++) {
		TAP_MUST(!trace_next(&trace, &op));
		TAP_MUST(op.slot < trace.slots && op.size <= TRACE_MAX_SIZE);
		TAP_MUST(op.kind < TRACE_KINDS && op.align >= 1 && op.align <= 4096);
	}
	TAP_MUST(trace.at == trace.end);
	return true;
}

/* Bytes at random: most behind a header that lets them be read. */
static void test_random_bytes(void)
{
	unsigned int opened = 0;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		begin();
		length += next_random() % 48;
		for (size_t i = round % 4 ? HEADER : next_random() % 8; i < length; i++)
			bytes[i] = (uint8_t)(next_random() & (round % 3 ? 63 : 255));
		operations = next_random() % 8;
		if (round % 4)
			end(1 + next_random() % 16);
		opened += keeps_its_promise(length);
	}
	printf("# %u of %u were opened\n", opened, ROUNDS);
	tap_ok(opened < ROUNDS / 2, "bytes at random never crash");
}

/* A legal trace with a few bytes changed: many such are legal as well. */
static void test_random_damage(void)
{
	unsigned int opened = 0, rounds = 20000;

	write_at_random(60);
	for (unsigned int round = 0; round < rounds; round++) {
		size_t at[3];
		uint8_t saved[3];

		for (int i = 0; i < 3; i++) {
			at[i] = next_random() % length;
			saved[i] = bytes[at[i]];
			bytes[at[i]] ^= (uint8_t)(1U << next_random() % 8);
		}
		opened += keeps_its_promise(length);
		for (int i = 3; i-- > 0;)
			bytes[at[i]] = saved[i];
	}
	printf("# %u of %u were opened\n", opened, rounds);
	tap_ok(opened > 100 && opened < rounds - 100 && reads_the_same(60),
	       "whatever damage there is, what is opened can be read to its end");
}

int main(void)
{
	test_whole_file();
	test_truncated();
	test_kinds();
	test_slots();
	test_slot_states();
	test_arguments();
	test_numbers();
	test_header_numbers();
	test_round_trip();
	test_random_bytes();
	test_random_damage();
	return tap_end();
}
