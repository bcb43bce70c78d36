/* SPDX-License-Identifier: MIT */
/*
 * The reader of ELF files.
 *
 *	file     [header|program headers|... bytes ...]
 *	              |        |            |     |
 *	              |        +-- LOAD ----+     |
 *	              entry    +-- NOTE ----------+
 *
 *	memory   low ...   [file_size bytes|zeros)    [...|...)   ... high
 *	                   start              end
 *
 * Sections are for linkers and debuggers; we do not look at them. Numbers in
 * the file are 32 bits and sums of two of them 64, so that nothing wraps here.
 * They may lie at any byte of the file: what has fields is copied out of it.
 */
#include "kernel/proc/elf.h"
#include "kernel/mm/layout.h"

#include <string.h>

#define CLASS_32      1
#define LITTLE_ENDIAN 1
#define VERSION	      1
#define RELOCATABLE   1
#define EXECUTABLE    2
#define SHARED	      3
#define CORE	      4
#define MACHINE_386   3
#define MACHINE_AMD64 62

struct header {
	uint8_t magic[4], class, encoding, version, rest[9];
	uint16_t type, machine;
	uint32_t format, entry, headers, sections, flags;
	uint16_t size, header_size, nheaders, section_size, nsections, names;
};

#define LOAD   1
#define INTERP 3
#define NOTE   4

#define MAY_WRITE 2

struct program_header {
	uint32_t type, offset, address, physical, file_size, size, flags, align;
};

#define NOTE_HEAP 1

struct note {
	uint32_t name_size, size, type;
};

static const char note_name[] = "Fencepost";

struct file {
	const uint8_t *bytes;
	size_t size;
};

static bool is_in_file(const struct file *file, uint32_t offset, uint32_t length)
{
	return offset <= file->size && length <= file->size - offset;
}

static const char *check_machine(const struct header *header)
{
	if (header->encoding != LITTLE_ENDIAN)
		return "for another machine: big-endian";
	if (header->machine == MACHINE_AMD64)
		return "for another machine: x86-64";
	if (header->machine != MACHINE_386)
		return "for another machine: not x86";
	if (header->class != CLASS_32)
		return "damaged: x86 of 64 bits";
	if (header->version != VERSION || header->format != VERSION)
		return "of an unknown version of ELF";
	return NULL;
}

static const char *check_type(const struct header *header)
{
	switch (header->type) {
	case EXECUTABLE:
		return NULL;
	case SHARED:
		return "position-independent: link it with -static -no-pie";
	case RELOCATABLE:
		return "an object file: it is not linked yet";
	case CORE:
		return "a core file: what is left of a program";
	default:
		return "of an unknown type of ELF";
	}
}

static const char *read_header(struct header *header, const struct file *file)
{
	const char *reason;

	if (file->size < 4 || memcmp(file->bytes, "\177ELF", 4) != 0)
		return "not an ELF file";
	if (file->size < sizeof(*header))
		return "truncated: the ELF header is not all there";
	memcpy(header, file->bytes, sizeof(*header));
	reason = check_machine(header);
	if (!reason)
		reason = check_type(header);
	if (reason)
		return reason;
	if (header->nheaders == 0)
		return "nothing to load: no program headers";
	if (header->nheaders > ELF_MAX_HEADERS)
		return "too many program headers";
	if (header->header_size != ELF_HEADER_SIZE)
		return "damaged: program headers of another size";
	if (!is_in_file(file, header->headers, header->nheaders * ELF_HEADER_SIZE))
		return "truncated: the program headers are not all there";
	return NULL;
}

/* Program header number @i, which is in the file. */
static struct program_header header_at(const struct file *file, const struct header *header,
				       unsigned int i)
{
	struct program_header load;

	memcpy(&load, file->bytes + header->headers + i * ELF_HEADER_SIZE, sizeof(load));
	return load;
}

static const char *check_load(const struct program_header *load, const struct file *file,
			      uintptr_t low, uintptr_t high)
{
	uint64_t end = (uint64_t)load->address + load->size;

	if (load->file_size > load->size)
		return "damaged: a segment has more bytes in the file than in memory";
	if (load->file_size > 0 && !is_in_file(file, load->offset, load->file_size))
		return "truncated: a segment is not all there";
	if (end > UINT32_MAX)
		return "damaged: a segment wraps around the end of all addresses";
	if (load->address < low)
		return "a segment lies below the lowest address of programs";
	if (end > high)
		return "a segment reaches into what belongs to the stack or the kernel";
	return NULL;
}

static uintptr_t page_of(uintptr_t address)
{
	return address & ~(uintptr_t)PAGE_MASK;
}

/* Why a segment cannot follow on another, or NULL. */
static const char *check_order(const struct elf_segment *before, const struct elf_segment *segment)
{
	if (segment->end <= before->start)
		return "damaged: segments are not in the order of their addresses";
	if (segment->start < before->end)
		return "damaged: segments overlap";
	if (page_of(segment->start) == page_of(before->end - 1))
		return "segments share a page";
	return NULL;
}

static const char *add_segment(struct elf_program *program, const struct program_header *load)
{
	struct elf_segment *segment = &program->segments[program->nsegments];
	const char *reason;

	if (program->nsegments == ELF_MAX_SEGMENTS)
		return "too many segments";
	*segment = (struct elf_segment){
		.start = load->address,
		.end = load->address + load->size,
		.offset = load->file_size > 0 ? load->offset : 0,
		.file_size = load->file_size,
		.writable = load->flags & MAY_WRITE,
	};
	reason = program->nsegments > 0 ? check_order(segment - 1, segment) : NULL;
	program->nsegments++;
	return reason;
}

/* The segment that holds the byte at an address, or NULL. */
static const struct elf_segment *segment_of(const struct elf_program *program, uintptr_t address)
{
	for (unsigned int i = 0; i < program->nsegments; i++) {
		const struct elf_segment *segment = &program->segments[i];

		if (address >= segment->start && address < segment->end)
			return segment;
	}
	return NULL;
}

/* Where bytes that are in the file come to lie, if they are all in one segment, else 0. */
static uintptr_t address_of(const struct elf_program *program, size_t offset, size_t length)
{
	for (unsigned int i = 0; i < program->nsegments; i++) {
		const struct elf_segment *segment = &program->segments[i];

		if (offset >= segment->offset &&
		    offset + length <= segment->offset + segment->file_size)
			return segment->start + (offset - segment->offset);
	}
	return 0;
}

static const char *read_segments(struct elf_program *program, const struct header *header,
				 const struct file *file, uintptr_t low, uintptr_t high)
{
	for (unsigned int i = 0; i < header->nheaders; i++) {
		struct program_header load = header_at(file, header, i);
		const char *reason = NULL;

		if (load.type == INTERP)
			return "needs a dynamic linker: link it with -static";
		if (load.type != LOAD || load.size == 0)
			continue;
		reason = check_load(&load, file, low, high);
		if (!reason)
			reason = add_segment(program, &load);
		if (reason)
			return reason;
	}
	if (program->nsegments == 0)
		return "nothing to load: no segments";
	if (!segment_of(program, header->entry))
		return "damaged: it begins to run where no segment is";
	return NULL;
}

/* Where what follows on @end bytes of a note begins. */
static uint64_t padded(uint64_t end, uint32_t align)
{
	return (end + align - 1) & ~(uint64_t)(align - 1);
}

static bool is_ours(const struct note *note, const uint8_t *name)
{
	return note->type == NOTE_HEAP && note->name_size == sizeof(note_name) &&
	       memcmp(name, note_name, sizeof(note_name)) == 0;
}

static const char *take_heap(struct elf_program *program, const uint8_t *text, uint32_t size)
{
	const struct elf_segment *segment;
	uint32_t heap;

	if (size != sizeof(heap))
		return "damaged: the note about its heap is not one word";
	memcpy(&heap, text, sizeof(heap));
	segment = segment_of(program, heap);
	if (!segment || !segment->writable)
		return "damaged: the note about its heap tells of nothing writable";
	program->heap = heap;
	return NULL;
}

/*
 * Looks through one header's notes. What each begins with is padded, and so is
 * the whole:
 *
 *	[name_size|size|type|name...|pad][text...|pad][next note
 *
 * Other people's notes are none of our business: where one of them does not
 * fit in, nothing behind it is looked at.
 */
static const char *read_notes(struct elf_program *program, const uint8_t *at, size_t left,
			      uint32_t align)
{
	struct note note;
	uint64_t text, next;

	for (; left >= sizeof(note); at += next, left -= next) {
		memcpy(&note, at, sizeof(note));
		text = padded(sizeof(note) + (uint64_t)note.name_size, align);
		next = padded(text + note.size, align);
		if (text > left || note.size > left - text)
			break;
		if (is_ours(&note, at + sizeof(note)))
			return take_heap(program, at + text, note.size);
		if (next > left)
			break;
	}
	return NULL;
}

/* The heap is the first one that a note tells of. */
static const char *read_heap(struct elf_program *program, const struct header *header,
			     const struct file *file)
{
	const char *reason = NULL;

	for (unsigned int i = 0; i < header->nheaders && !reason; i++) {
		struct program_header notes = header_at(file, header, i);

		if (notes.type != NOTE)
			continue;
		if (!is_in_file(file, notes.offset, notes.file_size))
			return "truncated: its notes are not all there";
		if (program->heap == 0)
			reason = read_notes(program, file->bytes + notes.offset, notes.file_size,
					    notes.align == 8 ? 8 : 4);
	}
	return reason;
}

const char *elf_read(struct elf_program *program, const void *bytes, size_t size, uintptr_t low,
		     uintptr_t high)
{
	const struct file file = { bytes, size };
	struct header header;
	const char *reason = read_header(&header, &file);

	memset(program, 0, sizeof(*program));
	if (!reason)
		reason = read_segments(program, &header, &file, low, high);
	if (reason)
		return reason;
	program->entry = header.entry;
	program->nheaders = header.nheaders;
	program->headers = address_of(program, header.headers, header.nheaders * ELF_HEADER_SIZE);
	return read_heap(program, &header, &file);
}
