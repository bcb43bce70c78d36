/* SPDX-License-Identifier: MIT */
/*
 * Reading programs: what can be run is read as it was written, what cannot is
 * refused with the right reason, each refusal beside the smallest change that
 * makes the file legal. And whatever a file holds, what is said of it agrees
 * with an oracle: some hundred thousand files with damage at random, made of
 * files by hand and of what linkers write (build/host/elf/, see host.mk).
 *
 *	elf_test [SEED [FILES]]
 */
#include "kernel/proc/elf.h"
#include "tap.h"

#include <elf.h>
#include <string.h>

#ifndef MODEL_SEED
#define MODEL_SEED 1
#endif

#define PAGE	4096U
#define LOW	0x10000U
#define HIGH	0xBF7FE000U
#define NOTHING "read without a complaint"

#define TEXT_AT 0x08048000U
#define DATA_AT 0x0804C000U

/* A file by hand: one header more than are allowed has room. */
enum { TEXT, DATA, NOTES, STACK, USED, ROOM = ELF_MAX_HEADERS + 1 };

static struct image {
	Elf32_Ehdr header;
	Elf32_Phdr loads[ROOM];
	uint8_t text[64], data[40], notes[240];
} file;

static size_t size;
static struct elf_program program;
static uint32_t state;

#define OFFSET_OF(part) ((uint32_t)offsetof(struct image, part))
#define DATA_START	(DATA_AT + OFFSET_OF(data))

static uint32_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* Reads a copy that ends where its memory does, so that reading beyond is caught. */
static const char *read_copy(const void *bytes, size_t n, size_t misaligned)
{
	static uint8_t *copy;

	free(copy);
	copy = malloc(n + misaligned + (n + misaligned == 0));
	TAP_MUST(copy);
	memcpy(copy + misaligned, bytes, n);
	memset(&program, 0xA5, sizeof(program));
	return elf_read(&program, copy + misaligned, n, LOW, HIGH);
}

static bool says(const char *expected, const char *reason)
{
	bool same = !strcmp(reason ? reason : NOTHING, expected ? expected : NOTHING);

	if (!same)
		printf("# expected: %s\n# found: %s\n", expected ? expected : NOTHING,
		       reason ? reason : NOTHING);
	return same;
}

static void refuses(const char *expected, const char *name)
{
	tap_ok(says(expected, read_copy(&file, size, 0)), name);
}

static void accepts(const char *name)
{
	refuses(NULL, name);
}

/* Adds bytes to the notes at the file's end, and what is missing to a multiple of @align. */
static void put(const void *bytes, size_t n, uint32_t align)
{
	TAP_MUST(size + n + align <= sizeof(file));
	memcpy((uint8_t *)&file + size, bytes, n);
	size += n;
	while ((size - OFFSET_OF(notes)) % align)
		size++;
	file.loads[NOTES].p_filesz = (uint32_t)size - OFFSET_OF(notes);
}

static void put_note(const char *name, uint32_t type, const void *text, uint32_t n)
{
	const Elf32_Nhdr head = { (uint32_t)strlen(name) + 1, n, type };

	put(&head, sizeof(head), 4);
	put(name, head.n_namesz, file.loads[NOTES].p_align);
	put(text, n, file.loads[NOTES].p_align);
}

static void put_heap(uint32_t address)
{
	put_note("Fencepost", 1, &address, sizeof(address));
}

static void no_notes(uint32_t align)
{
	size = OFFSET_OF(notes);
	memset(file.notes, 0, sizeof(file.notes));
	file.loads[NOTES] = (Elf32_Phdr){ PT_NOTE, (uint32_t)size, 0, 0, 0, 0, 0, align };
}

/* A legal file: headers and text, data with more behind it, two notes, and what loads nothing. */
static void begin(void)
{
	static const uint8_t ident[EI_NIDENT] = { 0x7F, 'E', 'L', 'F', 1, 1, 1 };
	const uint32_t data = OFFSET_OF(data);

	memset(&file, 0, sizeof(file));
	memcpy(file.header.e_ident, ident, sizeof(ident));
	file.header.e_type = ET_EXEC;
	file.header.e_machine = EM_386;
	file.header.e_version = 1;
	file.header.e_entry = TEXT_AT + OFFSET_OF(text);
	file.header.e_phoff = OFFSET_OF(loads);
	file.header.e_ehsize = sizeof(file.header);
	file.header.e_phentsize = sizeof(file.loads[0]);
	file.header.e_phnum = USED;
	file.loads[TEXT] = (Elf32_Phdr){ PT_LOAD, 0, TEXT_AT, 0, data, data, PF_R | PF_X, PAGE };
	file.loads[DATA] = (Elf32_Phdr){ PT_LOAD,	    data,
					 DATA_START,	    0,
					 sizeof(file.data), sizeof(file.data) + 60,
					 PF_R | PF_W,	    PAGE };
	file.loads[STACK] = (Elf32_Phdr){ PT_GNU_STACK, 1, 2, 3, 5, 4, PF_R | PF_W, 16 };
	no_notes(4);
	put_note("GNU", 3, "build-id", 8);
	put_heap(DATA_START + 16);
}

static void test_a_file(void)
{
	const uint32_t data = OFFSET_OF(data);
	const struct elf_segment *segments = program.segments;

	begin();
	accepts("a program is read");
	tap_ok(program.entry == TEXT_AT + OFFSET_OF(text) && program.nheaders == 4 &&
		       program.headers == TEXT_AT + 52 && program.heap == DATA_START + 16,
	       "  its entry, its headers and its heap are found");
	tap_ok(program.nsegments == 2 && segments[0].start == TEXT_AT &&
		       segments[0].end == TEXT_AT + data && segments[0].offset == 0 &&
		       segments[0].file_size == data && !segments[0].writable,
	       "  its text is what cannot be written");
	tap_ok(segments[1].start == DATA_START && segments[1].end == DATA_START + 100 &&
		       segments[1].offset == data && segments[1].file_size == 40 &&
		       segments[1].writable,
	       "  its data can be, and goes on behind the bytes of the file");
	tap_ok(says(NULL, read_copy(&file, size, 1)), "so is one at an odd address");
}

static void test_magic(void)
{
	bool refused = true, cut = true;

	for (int i = 0; i < 4; i++) {
		begin();
		file.header.e_ident[i] ^= 0x20;
		refused &= says("not an ELF file", read_copy(&file, size, 0));
	}
	tap_ok(refused, "each byte of the magic number counts");
	begin();
	for (size_t n = 0; n < 4; n++)
		refused &= says("not an ELF file", read_copy(&file, n, 0));
	tap_ok(refused && says("not an ELF file", elf_read(&program, NULL, 0, LOW, HIGH)),
	       "less than a magic number is not an ELF file, nor is nothing");
	for (size_t n = 4; n < sizeof(file.header); n++)
		cut &= says("truncated: the ELF header is not all there", read_copy(&file, n, 0));
	tap_ok(cut, "a header that is not all there is truncated");
}

static void test_machines(void)
{
	begin();
	file.header.e_ident[EI_DATA] = 2;
	refuses("for another machine: big-endian", "big-endian is refused");
	begin();
	file.header.e_machine = EM_X86_64;
	refuses("for another machine: x86-64", "x86-64 is refused");
	file.header.e_ident[EI_CLASS] = 2;
	refuses("for another machine: x86-64", "so it is with its own class");
	file.header.e_machine = EM_AARCH64;
	refuses("for another machine: not x86", "what is no x86 is refused");
	file.header.e_machine = EM_386;
	refuses("damaged: x86 of 64 bits", "32 and 64 bits at once are refused");
	file.header.e_ident[EI_CLASS] = 1;
	accepts("32 bits, little-endian, x86 are read");
	file.header.e_ident[EI_VERSION] = 2;
	refuses("of an unknown version of ELF", "another version is refused");
	file.header.e_ident[EI_VERSION] = 1;
	file.header.e_version = 0;
	refuses("of an unknown version of ELF", "so it is in the other place");
	file.header.e_version = 1;
	file.header.e_ident[EI_OSABI] = ELFOSABI_LINUX;
	accepts("what the static programs of glibc call their ABI is read");
}

static void test_types(void)
{
	static const char dynamic[] = "position-independent: link it with -static -no-pie";

	begin();
	file.header.e_type = ET_DYN;
	refuses(dynamic, "a position-independent program is refused");
	file.header.e_type = ET_REL;
	refuses("an object file: it is not linked yet", "an object file is refused");
	file.header.e_type = ET_CORE;
	refuses("a core file: what is left of a program", "a core file is refused");
	file.header.e_type = 5;
	refuses("of an unknown type of ELF", "an unknown type is refused");
	file.header.e_type = ET_NONE;
	refuses("of an unknown type of ELF", "no type is refused");
	file.header.e_type = ET_EXEC;
	accepts("a program is what is read");
	file.loads[STACK].p_type = PT_INTERP;
	refuses("needs a dynamic linker: link it with -static", "an interpreter is refused");
	file.header.e_phnum--;
	accepts("a header less, and there is none");
}

static void test_headers(void)
{
	static const char cut[] = "truncated: the program headers are not all there";

	begin();
	file.header.e_phnum = 0;
	refuses("nothing to load: no program headers", "no headers are refused");
	file.header.e_phnum = 1;
	accepts("one of them is enough");
	file.header.e_phnum = ELF_MAX_HEADERS;
	accepts("so many as are allowed are read");
	tap_ok(program.nheaders == ELF_MAX_HEADERS, "  and counted");
	file.header.e_phnum++;
	refuses("too many program headers", "one more is refused");
	begin();
	file.header.e_phentsize++;
	refuses("damaged: program headers of another size", "headers of 33 bytes are refused");
	file.header.e_phentsize -= 2;
	refuses("damaged: program headers of another size", "of 31 as well");
	file.header.e_phentsize++;
	accepts("of 32 they are read");
	size = file.loads[TEXT].p_filesz = OFFSET_OF(loads[1]) + 1;
	file.header.e_phoff++;
	file.header.e_phnum = 1;
	memmove((uint8_t *)&file.loads + 1, &file.loads, sizeof(file.loads[0]));
	accepts("at an odd place, up to the file's last byte, they are read");
	tap_ok(program.headers == TEXT_AT + 53, "  and found in memory");
	file.header.e_phoff++;
	refuses(cut, "one byte beyond it they are refused");
	file.header.e_phoff = (uint32_t)size + 1;
	refuses(cut, "so are those that begin beyond it");
	file.header.e_phoff = UINT32_MAX - 15;
	refuses(cut, "and those that wrap");
}

/* Program headers need not be in memory. */
static void test_headers_in_memory(void)
{
	begin();
	file.loads[TEXT].p_offset = OFFSET_OF(loads);
	accepts("a segment that begins with the program headers is read");
	tap_ok(program.headers == TEXT_AT, "  and has them");
	file.loads[TEXT].p_offset++;
	accepts("one that begins a byte later is read");
	tap_ok(program.headers == 0, "  and does not");
	begin();
	file.loads[TEXT].p_filesz = OFFSET_OF(loads[USED]);
	accepts("a segment that ends with the program headers is read");
	tap_ok(program.headers == TEXT_AT + 52, "  and has them");
	file.loads[TEXT].p_filesz--;
	accepts("one that ends a byte before is read");
	tap_ok(program.headers == 0, "  and does not");
	begin();
	file.loads[TEXT].p_filesz = 31;
	accepts("one that is shorter than a header is read");
	tap_ok(program.headers == 0, "  and does not either");
	begin();
	file.loads[DATA].p_offset = 20;
	file.loads[DATA].p_filesz = file.loads[DATA].p_memsz = OFFSET_OF(loads[USED]) - 20;
	file.loads[TEXT].p_filesz = 0;
	accepts("a second segment may have the headers");
	tap_ok(program.headers == file.loads[DATA].p_vaddr + 32, "  where they then are");
}

static void test_bytes_of_segments(void)
{
	static const char cut[] = "truncated: a segment is not all there";

	begin();
	file.loads[TEXT].p_filesz++;
	refuses("damaged: a segment has more bytes in the file than in memory",
		"a segment with more in the file than in memory is refused");
	file.loads[TEXT].p_memsz++;
	accepts("with as much it is read");
	begin();
	file.loads[DATA].p_offset = (uint32_t)size - file.loads[DATA].p_filesz;
	accepts("a segment up to the file's last byte is read");
	file.loads[DATA].p_offset++;
	refuses(cut, "one byte beyond it is refused");
	file.loads[DATA].p_offset = (uint32_t)size + 1;
	refuses(cut, "so is one that begins beyond it");
	file.loads[DATA].p_offset = UINT32_MAX - 20;
	refuses(cut, "and one that wraps in the file");
	file.loads[DATA].p_filesz = 0;
	accepts("but one with nothing in the file is wherever it likes");
	tap_ok(program.nsegments == 2 && program.segments[1].offset == 0 &&
		       program.segments[1].file_size == 0 &&
		       program.segments[1].end - program.segments[1].start == 100,
	       "  and all zeros");
}

static void test_empty_segments(void)
{
	begin();
	file.loads[STACK] = (Elf32_Phdr){ PT_LOAD, UINT32_MAX, 1, 0, UINT32_MAX, 0, 0, 0 };
	accepts("a segment of nothing is nothing, whatever else it says");
	tap_ok(program.nsegments == 2, "  and not counted");
	file.loads[TEXT].p_memsz = file.loads[TEXT].p_filesz = 0;
	file.loads[DATA].p_memsz = file.loads[DATA].p_filesz = 0;
	refuses("nothing to load: no segments", "with no others there is nothing to load");
	begin();
	file.loads[TEXT].p_type = file.loads[DATA].p_type = PT_NULL;
	refuses("nothing to load: no segments", "nor is there without any");
	file.loads[TEXT].p_type = PT_LOAD;
	file.header.e_phnum = 2;
	accepts("one is enough");
}

static void test_addresses(void)
{
	static const char high[] = "a segment reaches into what belongs to the stack or the kernel";
	static const char wraps[] = "damaged: a segment wraps around the end of all addresses";

	begin();
	file.loads[TEXT].p_vaddr = LOW;
	file.header.e_entry = LOW;
	accepts("a segment at the lowest address is read");
	file.loads[TEXT].p_vaddr--;
	refuses("a segment lies below the lowest address of programs",
		"one byte below it is refused");
	file.loads[TEXT].p_vaddr = 0;
	refuses("a segment lies below the lowest address of programs", "so is address 0");
	begin();
	no_notes(4);
	file.loads[DATA].p_vaddr = HIGH - 100;
	accepts("a segment up to the highest address is read");
	file.loads[DATA].p_memsz++;
	refuses(high, "one byte more is refused");
	file.loads[DATA].p_vaddr = 0xC0000000;
	refuses(high, "so is one in the kernel");
	file.loads[DATA].p_vaddr = UINT32_MAX - 101;
	refuses(high, "and one up to the last address but one");
	file.loads[DATA].p_vaddr++;
	file.loads[DATA].p_memsz++;
	refuses(wraps, "one byte behind it, it ends at no address");
	file.loads[DATA].p_vaddr = DATA_AT;
	file.loads[DATA].p_memsz = UINT32_MAX;
	refuses(wraps, "and a segment of all addresses wraps");
}

static void place(unsigned int i, uint32_t address, uint32_t bytes)
{
	file.loads[i] = (Elf32_Phdr){ PT_LOAD, 0, address, 0, 0, bytes, PF_R | PF_W, PAGE };
}

/* Two segments in a legal file that has no others. */
static const char *read_two(uint32_t first, uint32_t bytes, uint32_t second, uint32_t more)
{
	begin();
	place(0, first, bytes);
	place(1, second, more);
	file.header.e_phnum = 2;
	file.header.e_entry = first;
	return read_copy(&file, size, 0);
}

static void test_order(void)
{
	static const char overlap[] = "damaged: segments overlap";
	static const char shared[] = "segments share a page";
	static const char order[] = "damaged: segments are not in the order of their addresses";

	tap_ok(says(NULL, read_two(0x20000, PAGE, 0x21000, 1)), "segments may touch between pages");
	tap_ok(says(shared, read_two(0x20000, PAGE + 1, 0x21001, 1)), "not within one");
	tap_ok(says(shared, read_two(0x20000, PAGE + 1, 0x21FFF, 1)),
	       "nor be in the first and last byte of one");
	tap_ok(says(NULL, read_two(0x20000, PAGE + 1, 0x22000, 1)), "the next page is free");
	tap_ok(says(overlap, read_two(0x20000, PAGE + 1, 0x21000, 1)), "a byte of both is refused");
	tap_ok(says(overlap, read_two(0x20000, PAGE, 0x20000, PAGE)), "so is the same twice");
	tap_ok(says(overlap, read_two(0x20000, 9 * PAGE, 0x22000, PAGE)), "one within another");
	tap_ok(says(overlap, read_two(0x22000, PAGE, 0x20000, 9 * PAGE)), "one around another");
	tap_ok(says(overlap, read_two(0x22000, PAGE, 0x20000, 2 * PAGE + 1)),
	       "and one up to the first byte of another");
	tap_ok(says(order, read_two(0x22000, PAGE, 0x20000, 2 * PAGE)),
	       "one before it is out of order");
	tap_ok(says(NULL, read_two(0x20000, 2 * PAGE, 0x22000, PAGE)), "the other way it is read");
}

static void test_many_segments(void)
{
	begin();
	for (unsigned int i = 0; i <= ELF_MAX_SEGMENTS; i++)
		place(i, 0x20000 + i * PAGE, PAGE);
	file.header.e_entry = 0x20000 + ELF_MAX_SEGMENTS * PAGE - 1;
	file.header.e_phnum = ELF_MAX_SEGMENTS;
	accepts("so many segments as are allowed are read");
	tap_ok(program.nsegments == ELF_MAX_SEGMENTS &&
		       program.segments[15].end == file.header.e_entry + 1,
	       "  to the last");
	file.header.e_phnum++;
	refuses("too many segments", "one more is refused");
}

static void test_entry(void)
{
	static const char outside[] = "damaged: it begins to run where no segment is";

	begin();
	file.header.e_entry = TEXT_AT - 1;
	refuses(outside, "an entry before a segment is refused");
	file.header.e_entry++;
	accepts("at its first byte it is read");
	file.header.e_entry += file.loads[TEXT].p_memsz;
	refuses(outside, "behind its last byte it is refused");
	file.header.e_entry--;
	accepts("at that it is read");
	file.header.e_entry = file.loads[DATA].p_vaddr + 99;
	accepts("so it is at the last byte of another");
	file.header.e_entry = 0;
	refuses(outside, "nowhere is refused");
}

/* Where the heap of a file is said to be that is legal so far. */
static uintptr_t heap_of(void)
{
	TAP_MUST(says(NULL, read_copy(&file, size, 0)));
	return program.heap;
}

/* A note of a heap, alone in a legal file. */
static const char *read_heap(uint32_t address, uint32_t flags)
{
	begin();
	file.loads[DATA].p_flags = flags;
	no_notes(4);
	put_heap(address);
	return read_copy(&file, size, 0);
}

static void test_where_a_heap_is(void)
{
	static const char nothing[] = "damaged: the note about its heap tells of nothing writable";
	tap_ok(says(nothing, read_heap(DATA_START - 1, PF_R | PF_W)),
	       "a heap before data is refused");
	tap_ok(says(NULL, read_heap(DATA_START, PF_R | PF_W)) && program.heap == DATA_START,
	       "at the first byte it is read");
	tap_ok(says(NULL, read_heap(DATA_START + 99, PF_W)) && program.heap == DATA_START + 99,
	       "at the last byte it is read");
	tap_ok(says(nothing, read_heap(DATA_START + 100, PF_W)), "behind it is refused");
	tap_ok(says(nothing, read_heap(DATA_START, PF_R | PF_X)),
	       "in data that is only read as well");
	tap_ok(says(nothing, read_heap(TEXT_AT, PF_W)), "and in text");
	tap_ok(says(nothing, read_heap(0, PF_W)), "and nowhere");
}

static void test_what_a_heap_note_is(void)
{
	static const char word[] = "damaged: the note about its heap is not one word";
	const uint32_t words[2] = { DATA_START, DATA_START };

	for (uint32_t n = 0; n <= 8; n++) {
		begin();
		no_notes(4);
		put_note("Fencepost", 1, words, n);
		refuses(n == 4 ? NULL : word,
			n == 4 ? "a heap of one word is read" : "a heap of no word is refused");
	}
	begin();
	no_notes(4);
	put_note("Fencepost", 2, words, 8);
	put_note("FenceposT", 1, words, 8);
	put_note("Fencepos", 1, words, 8);
	put_note("Fencepost ", 1, words, 8);
	tap_ok(heap_of() == 0, "notes of other names or types are not of a heap");
	put_heap(DATA_START + 1);
	put_heap(DATA_START + 2);
	tap_ok(heap_of() == DATA_START + 1, "the first behind them is");
}

static void test_headers_of_notes(void)
{
	static const char cut[] = "truncated: its notes are not all there";

	begin();
	tap_ok(heap_of() != 0, "notes up to the file's last byte are read");
	file.loads[NOTES].p_offset++;
	refuses(cut, "one byte beyond it they are refused");
	file.loads[NOTES].p_offset = UINT32_MAX - 3;
	refuses(cut, "so are notes that wrap");
	file.loads[NOTES].p_type = PT_NULL;
	tap_ok(heap_of() == 0, "what no header tells of are no notes");
	begin();
	file.loads[STACK] = file.loads[NOTES];
	file.loads[NOTES].p_filesz = 0;
	tap_ok(heap_of() != 0, "a heap may be in the second header's notes");
	file.loads[STACK].p_filesz = 20;
	tap_ok(heap_of() == 0, "if it is in none's, there is none");
	no_notes(4);
	put_heap(DATA_START + 7);
	file.loads[STACK] = file.loads[NOTES];
	file.loads[STACK].p_offset = (uint32_t)size;
	put_heap(DATA_START + 9);
	file.loads[NOTES].p_filesz = file.loads[STACK].p_filesz;
	tap_ok(heap_of() == DATA_START + 7, "of two, the first is taken");
}

/* Whether a heap is found behind a note with a text of @n bytes. */
static bool heap_behind(uint32_t n, uint32_t align, uint32_t read_with)
{
	begin();
	no_notes(align);
	put_note("GNU", 1, "123456789", n);
	put_heap(DATA_START);
	file.loads[NOTES].p_align = read_with;
	return heap_of() != 0;
}

static void test_padding(void)
{
	bool found = true;

	for (uint32_t n = 0; n < 9; n++)
		found &= heap_behind(n, 4, 4) && heap_behind(n, 8, 8);
	tap_ok(found, "a heap is found behind texts of all lengths");
	tap_ok(heap_behind(3, 4, 0) && heap_behind(3, 4, 1) && heap_behind(3, 4, 16),
	       "notes are padded to words, whatever is said");
	begin();
	no_notes(4);
	put_note("GNU", 1, "12345", 5);
	file.loads[NOTES].p_filesz -= 3;
	size -= 3;
	accepts("the last one need not be padded");
	tap_ok(!heap_behind(3, 8, 4) && !heap_behind(3, 4, 8), "but for eight bytes");
}

static void test_damaged_notes(void)
{
	bool ended = true;

	begin();
	no_notes(4);
	put_heap(DATA_START);
	tap_ok(heap_of() != 0, "a note is read");
	file.loads[NOTES].p_filesz--;
	tap_ok(heap_of() == 0, "one whose last byte is missing is not looked at");
	file.loads[NOTES].p_filesz = sizeof(Elf32_Nhdr) - 1;
	tap_ok(heap_of() == 0, "nor is one that is less than its sizes");
	begin();
	no_notes(4);
	put_note("GNU", 1, "123", 3);
	put_heap(DATA_START);
	for (int i = 0; i < 8; i++) {
		uint8_t saved = file.notes[i];

		file.notes[i] = 0xFF;
		ended &= heap_of() == 0;
		file.notes[i] = saved;
	}
	memset(file.notes, 0xFF, 8);
	tap_ok(ended && heap_of() == 0, "notes end with one whose sizes do not fit");
	tap_ok(heap_behind(3, 4, 4), "  where they do, the next is read");
}

static void test_truncated(void)
{
	bool refused = true;

	begin();
	for (size_t n = 4; n < size; n++) {
		const char *reason = read_copy(&file, n, n % 4);

		refused &= reason && !strncmp(reason, "truncated: ", 11);
	}
	tap_ok(refused, "a file cut at any byte is truncated");
	accepts("  whole it is read");
}

/* An oracle: the same promises, put another way. */

static Elf32_Ehdr header;
static Elf32_Phdr loads[ELF_MAX_HEADERS], filled[ELF_MAX_HEADERS];
static unsigned int nfilled;

static bool header_is_sound(const uint8_t *bytes, size_t n)
{
	static const uint8_t start[7] = { 0x7F, 'E', 'L', 'F', 1, 1, 1 };

	if (n < sizeof(header))
		return false;
	memcpy(&header, bytes, sizeof(header));
	return !memcmp(bytes, start, 7) && header.e_version == 1 && header.e_type == ET_EXEC &&
	       header.e_machine == EM_386 && header.e_phentsize == 32 && header.e_phnum >= 1 &&
	       header.e_phnum <= 64 && header.e_phoff + 32ULL * header.e_phnum <= n;
}

/* Reads the program headers; whether there is none that must not be, or tells of what is not. */
static bool headers_are_sound(const uint8_t *bytes, size_t n)
{
	memcpy(loads, bytes + header.e_phoff, 32 * header.e_phnum);
	nfilled = 0;
	for (unsigned int i = 0; i < header.e_phnum; i++) {
		const Elf32_Phdr *load = &loads[i];

		if (load->p_type == PT_INTERP)
			return false;
		if (load->p_type == PT_LOAD && load->p_memsz > 0)
			filled[nfilled++] = *load;
		if (load->p_type == PT_NOTE && (uint64_t)load->p_offset + load->p_filesz > n)
			return false;
	}
	return nfilled >= 1 && nfilled <= ELF_MAX_SEGMENTS;
}

/* Whether the pages of all segments ascend from LOW to HIGH. */
static bool segments_are_sound(size_t n)
{
	uint64_t last = LOW / PAGE - 1;

	for (unsigned int i = 0; i < nfilled; i++) {
		const uint64_t end = (uint64_t)filled[i].p_vaddr + filled[i].p_memsz;
		const uint64_t file_end = (uint64_t)filled[i].p_offset + filled[i].p_filesz;

		if (filled[i].p_vaddr / PAGE <= last || end > HIGH ||
		    filled[i].p_memsz < filled[i].p_filesz || (filled[i].p_filesz && file_end > n))
			return false;
		last = (end - 1) / PAGE;
	}
	return true;
}

/* The program header that has an address, or NULL. */
static const Elf32_Phdr *filled_at(uint32_t address)
{
	for (unsigned int i = 0; i < nfilled; i++)
		if (address - filled[i].p_vaddr < filled[i].p_memsz)
			return &filled[i];
	return NULL;
}

/* The first note of a heap in one header's: where its text is in the file and its size, or -1. */
static int64_t note_at(const uint8_t *bytes, const Elf32_Phdr *notes, uint32_t *n)
{
	const uint64_t align = notes->p_align == 8 ? 8 : 4, end = notes->p_filesz;
	uint64_t at = 0;
	Elf32_Nhdr note;

	while (at + sizeof(note) <= end) {
		const uint8_t *here = bytes + notes->p_offset + at;
		uint64_t text;

		memcpy(&note, here, sizeof(note));
		text = (at + sizeof(note) + note.n_namesz + align - 1) / align * align;
		at = (text + note.n_descsz + align - 1) / align * align;
		if (text + note.n_descsz > end)
			return -1;
		*n = note.n_descsz;
		if (note.n_type == 1 && note.n_namesz == 10 && !memcmp(here + 12, "Fencepost", 10))
			return (int64_t)(notes->p_offset + text);
	}
	return -1;
}

/* Whether there is no note of a heap, or one of a heap that can be there. */
static bool heap_is_sound(const uint8_t *bytes, uint32_t *heap)
{
	int64_t at = -1;
	uint32_t n = 0;

	*heap = 0;
	for (unsigned int i = 0; i < header.e_phnum && at < 0; i++)
		if (loads[i].p_type == PT_NOTE)
			at = note_at(bytes, &loads[i], &n);
	if (at < 0)
		return true;
	if (n == 4)
		memcpy(heap, bytes + at, 4);
	return n == 4 && filled_at(*heap) && filled_at(*heap)->p_flags & PF_W;
}

static bool can_run(const uint8_t *bytes, size_t n, uint32_t *heap)
{
	return header_is_sound(bytes, n) && headers_are_sound(bytes, n) && segments_are_sound(n) &&
	       filled_at(header.e_entry) && heap_is_sound(bytes, heap);
}

static bool segments_agree(void)
{
	bool agree = program.nsegments == nfilled;

	for (unsigned int i = 0; agree && i < nfilled; i++) {
		const struct elf_segment *segment = &program.segments[i];

		agree = segment->start == filled[i].p_vaddr &&
			segment->end - segment->start == filled[i].p_memsz &&
			segment->file_size == filled[i].p_filesz &&
			segment->offset == (filled[i].p_filesz ? filled[i].p_offset : 0) &&
			segment->writable == !!(filled[i].p_flags & PF_W);
	}
	return agree;
}

/* Whether the first segment with all program headers has them where they are said to be. */
static bool headers_agree(void)
{
	const uint64_t from = header.e_phoff, to = from + 32ULL * header.e_phnum;

	for (unsigned int i = 0; i < nfilled; i++) {
		const uint64_t offset = filled[i].p_offset;

		if (from >= offset && to <= offset + filled[i].p_filesz)
			return program.headers == filled[i].p_vaddr + (from - offset);
	}
	return program.headers == 0;
}

/* Whether what is said of a file is what the oracle says; counts those that can be run. */
static bool agrees(const uint8_t *bytes, size_t n, unsigned long *read)
{
	const char *reason = read_copy(bytes, n, n % 4);
	uint32_t heap;

	if (!can_run(bytes, n, &heap))
		return reason && reason[0];
	*read += !reason;
	return !reason && segments_agree() && headers_agree() && program.heap == heap &&
	       program.entry == header.e_entry && program.nheaders == header.e_phnum;
}

/* Files to be damaged, and which bytes of them matter: from, and how many. */

#define MOST_BYTES (1U << 22)

static uint8_t whole[MOST_BYTES], damaged[MOST_BYTES];
static size_t length;
static struct {
	uint32_t from, bytes;
} spans[3];

static void find_spans(void)
{
	Elf32_Ehdr of;
	Elf32_Phdr load;

	memcpy(&of, whole, sizeof(of));
	spans[0].bytes = sizeof(of);
	spans[1].from = of.e_phoff;
	spans[1].bytes = of.e_phnum * 32U;
	for (unsigned int i = 0; i < of.e_phnum; i++) {
		memcpy(&load, whole + of.e_phoff + 32 * i, sizeof(load));
		if (load.p_type != PT_NOTE)
			continue;
		spans[2].from = load.p_offset;
		spans[2].bytes = load.p_filesz;
	}
	TAP_MUST(spans[2].bytes > 0 && spans[2].from + spans[2].bytes <= length);
}

/* A word that is at a border of something, or is in the file. */
static uint32_t some_word(void)
{
	const uint32_t words[] = {
		0,	   1,	    3,	     4,	       8,	  PAGE, LOW, HIGH, (uint32_t)length,
		PT_INTERP, PT_NOTE, PT_LOAD, 1U << 31, UINT32_MAX
	};
	uint32_t dice = next_random() % 20, word;

	if (dice < sizeof(words) / sizeof(*words))
		return words[dice];
	memcpy(&word, whole + spans[1].from + next_random() % (spans[1].bytes / 4) * 4, 4);
	return word;
}

static void damage(void)
{
	unsigned int span = next_random() % 4 % 3;
	uint32_t at = spans[span].from + next_random() % spans[span].bytes, word;
	uint32_t headers = spans[1].bytes / 32;

	switch (next_random() % 5) {
	case 0:
		damaged[at] ^= (uint8_t)(1U << next_random() % 8);
		return;
	case 1:
		damaged[at] = (uint8_t)next_random();
		return;
	case 2:
		memmove(damaged + spans[1].from + next_random() % headers * 32,
			damaged + spans[1].from + next_random() % headers * 32, 32);
		return;
	case 3:
		word = some_word();
		break;
	default:
		memcpy(&word, damaged + at / 4 * 4, 4);
		word += next_random() % 5 - 2;
	}
	memcpy(damaged + at / 4 * 4, &word, 4);
}

/* What is in `whole`, with damage to it, many times. */
static void test_damaged(const char *name, unsigned long rounds)
{
	unsigned long read = 0, round;
	bool agree = true;

	find_spans();
	for (round = 0; round < rounds && agree; round++) {
		size_t n = next_random() % 8 ? length : next_random() % (length + 1);

		memcpy(damaged, whole, length);
		for (uint32_t left = 1 + next_random() % 3; left > 0; left--)
			damage();
		agree = agrees(damaged, n, &read);
	}
	printf("# %s: %lu of %lu are read\n", name, read, round);
	tap_ok(agree && read > rounds / 10 && read < rounds / 10 * 9,
	       "what is said of a damaged file is what an oracle says");
}

/* What a linker has made of program.c. */
static void load_file(const char *name)
{
	char path[80];
	FILE *from;

	snprintf(path, sizeof(path), "build/host/elf/%s", name);
	from = fopen(path, "rb");
	TAP_MUST(from);
	length = fread(whole, 1, sizeof(whole), from);
	TAP_MUST(length > 0 && length < sizeof(whole));
	fclose(from);
}

static void test_linked(void)
{
	static const char *const files[][2] = {
		{ "static", NULL },
		{ "bare", NULL },
		{ "pie", "position-independent: link it with -static -no-pie" },
		{ "static-pie", "position-independent: link it with -static -no-pie" },
		{ "shared", "position-independent: link it with -static -no-pie" },
		{ "dynamic", "needs a dynamic linker: link it with -static" },
		{ "object", "an object file: it is not linked yet" },
		{ "amd64", "for another machine: x86-64" },
	};
	unsigned long read = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		load_file(files[i][0]);
		tap_ok(says(files[i][1], read_copy(whole, length, 0)) &&
			       agrees(whole, length, &read),
		       files[i][0]);
	}
	tap_ok(read == 2, "what can be run of what linkers make is read");
}

int main(int argc, char **argv)
{
	unsigned long seed = argc > 1 ? strtoul(argv[1], NULL, 0) : MODEL_SEED;
	unsigned long files = argc > 2 ? strtoul(argv[2], NULL, 0) : 200000, read = 0;

	state = (uint32_t)seed * 2654435761U | 1;
	printf("# seed %lu\n", seed);
	test_a_file();
	test_magic();
	test_machines();
	test_types();
	test_headers();
	test_headers_in_memory();
	test_bytes_of_segments();
	test_empty_segments();
	test_addresses();
	test_order();
	test_many_segments();
	test_entry();
	test_where_a_heap_is();
	test_what_a_heap_note_is();
	test_headers_of_notes();
	test_padding();
	test_damaged_notes();
	test_truncated();
	test_linked();
	begin();
	length = size;
	memcpy(whole, &file, size);
	tap_ok(agrees(whole, length, &read) && read == 1, "the oracle agrees with a file by hand");
	test_damaged("by hand", files / 2);
	load_file("bare");
	test_damaged("bare", files / 2);
	load_file("static");
	test_damaged("static", files / 100);
	return tap_end();
}
